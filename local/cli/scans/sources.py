"""What is to be scanned: photos on this machine, or at a web address."""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from local.errors import Misuse

# Not `mimetypes`: what that knows of WebP and HEIC depends on the machine.
CONTENT_TYPES = MappingProxyType(
    {
        ".jpg": "image/jpeg",
        ".jpeg": "image/jpeg",
        ".png": "image/png",
        ".webp": "image/webp",
        ".heic": "image/heic",
        ".heif": "image/heif",
    }
)

CLIP_TYPES = MappingProxyType(
    {
        ".mp4": "video/mp4",
        ".m4v": "video/mp4",
        ".mov": "video/quicktime",
        ".webm": "video/webm",
        ".mkv": "video/x-matroska",
    }
)

_LARGEST = 20 << 20  # bytes, as CreateScan allows


@dataclass(frozen=True, slots=True)
class Source:
    """A photo.

    Attributes:
        text: As it was typed.
        file: Where it is on this machine; None for one at a web address.
    """

    text: str
    file: Path | None

    @classmethod
    def of(cls, text: str) -> "Source":
        """Reads a file's name or a web address."""
        return cls(text, None if text.startswith(("https://", "http://")) else Path(text))

    @property
    def name(self) -> str:
        """What a person recognises it by."""
        return self.file.name if self.file else self.text

    def read(self) -> bytes:
        """The content of a file.

        Raises:
            Misuse: It can't be a photo to scan; the text says why.
            OSError: It can't be read.
        """
        assert self.file is not None
        check(self.file)
        return self.file.read_bytes()


def check(file: Path) -> None:
    """Looks at a file before a stack is asked for: the API would refuse it in other words, later.

    Raises:
        Misuse: It can't be a photo to scan; the text says why.
        OSError: Nobody may look at it.
    """
    if file.is_dir():
        raise Misuse(f"{file} is a folder: name the photos in it, such as {file}/*.jpg")
    if not file.exists():
        raise Misuse(f"There is no file {file}")
    if file.suffix.lower() in CLIP_TYPES:
        raise Misuse(f"{file.name} is a clip by its name: eco2 video {file}")
    if file.suffix.lower() not in CONTENT_TYPES:
        raise Misuse(f"{file.name} isn't a JPEG, PNG, WebP or HEIC photo by its name")
    if not file.is_file():
        raise Misuse(f"{file} is no file")
    if (size := file.stat().st_size) > _LARGEST:
        raise Misuse(f"{file} is too large: {size / 1e6:.1f} MB, and a photo may have {_LARGEST / 1e6:.1f} MB")


def content_type(photo: Path) -> str:
    """The media type a phone would announce: what the name says.

    Raises:
        KeyError: It isn't the name of a photo.
    """
    return CONTENT_TYPES[photo.suffix.lower()]
