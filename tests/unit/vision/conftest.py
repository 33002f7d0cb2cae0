"""What several tests of Vision look at."""

from collections.abc import Callable
from io import BytesIO

import pillow_heif
import pytest
from PIL import ExifTags, Image

from vision_svc.classifiers.offline import OfflineClassifier
from vision_svc.model import MODEL
from vision_svc.model.convert import convert
from vision_svc.photos.cleaning import configure

Encode = Callable[..., bytes]


@pytest.fixture(autouse=True)
def _pillow_as_in_the_decoder() -> None:
    configure()


@pytest.fixture(scope="session")
def classifier() -> OfflineClassifier:
    """The offline model; built first where set-up hasn't done it."""
    convert(MODEL)
    return OfflineClassifier.load(MODEL)


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Writes a picture as a file's bytes."""

    def write(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
        file = BytesIO()
        if form == "HEIC":
            # Slower presets search longer and use more of the codec, for a file of the same form.
            pillow_heif.from_pillow(image).save(file, **{"enc_params": {"preset": "ultrafast"}, **options})
        else:
            image.save(file, form, **options)
        return file.getvalue()

    return write


@pytest.fixture
def quarters() -> Image.Image:
    """Wider than high, a colour in each corner: red and green above, blue and white below."""
    image = Image.new("RGB", (320, 200), "white")
    image.paste("red", (0, 0, 160, 100))
    image.paste("lime", (160, 0, 320, 100))
    image.paste("blue", (0, 100, 160, 200))
    return image


@pytest.fixture
def phone(encode: Encode, quarters: Image.Image) -> bytes:
    """As a phone takes it: with the place."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (37.0, 33.0, 58.0)
    exif[ExifTags.Base.Make] = "Phone"
    return encode(quarters, exif=exif)
