"""`eco2 demo`: one photo through the whole of Eco², on a stack of its own."""

from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from types import MappingProxyType

from rich import filesize
from rich.console import Console

from eco2.scan.v1 import scan_pb2
from local import sample_photo
from local.cli.api.rest import Question, ScanClient
from local.cli.display import card, progress
from local.cli.session import Session
from local.stack.stack import running
from mesh.locale import Locale

MAPO = (37.5663, 126.9019)
MAPO_REGION = "서울특별시/마포구"

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


def run(var: Path, photo: Path | None, question: Question, locale: Locale, console: Console) -> bool:
    """Starts a stack, scans the photo, shows the result, and stops the stack.

    Args:
        var: The stack's folder; a second demo in the same folder starts quicker.
        photo: What to scan; by default a note on paper, drawn.
        question: What goes with it.
        locale: Language of the results.
        console: Where to show it.

    Returns:
        Whether the scan succeeded.
    """
    began = monotonic()
    with ExitStack() as exits:
        with console.status("Starting PostgreSQL, Valkey, SeaweedFS, Envoy and the four services …"):
            session = Session.of(exits.enter_context(running(var)))
        console.print(f"The stack is ready after {monotonic() - began:.1f} s: {session.rest_url}", highlight=False)
        last = scan(session, photo or _drawn(var), question, locale, console)
        console.print(card.render(last))
        with console.status("Stopping everything …"):
            exits.close()
    console.print(f"Everything is stopped; the whole demo took {monotonic() - began:.1f} s.", highlight=False)
    return last.state == scan_pb2.Scan.State.STATE_SUCCEEDED


def _drawn(folder: Path) -> Path:
    photo = folder / "note.jpg"
    photo.write_bytes(sample_photo.draw())
    return photo


def scan(session: Session, photo: Path, question: Question, locale: Locale, console: Console) -> scan_pb2.Scan:
    """Scans a photo as a mobile client would, and shows how it gets on.

    Returns:
        The scan in its terminal state.

    Raises:
        ApiError: The API refused it.
        Disconnected: The stack can't be reached.
    """
    content = photo.read_bytes()
    console.print(f"Photo: {photo.name}, {filesize.decimal(len(content))}", highlight=False)
    with ScanClient(session.rest_url, session.token, locale) as client:
        queued = client.scan(content, content_type(photo), question)
        console.print(f"Scan {queued.scan_id}", highlight=False)
        return progress.show(client.follow(queued.scan_id), console)


def content_type(photo: Path) -> str:
    """The media type a phone would announce: what the name says.

    Raises:
        KeyError: It isn't the name of a photo.
    """
    return CONTENT_TYPES[photo.suffix.lower()]
