"""One photo scanned as a mobile client would, on whatever stack a session leads to."""

from pathlib import Path
from types import MappingProxyType

from rich import filesize
from rich.console import Console

from eco2.rules.v1 import disposal_pb2
from eco2.scan.v1 import scan_pb2
from local.cli.api.errors import ApiError
from local.cli.api.rest import Question, ScanClient
from local.cli.display import progress
from local.cli.session import Session
from local.errors import Disconnected
from mesh.locale import Locale

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


def plan(session: Session, scan_id: str, locale: Locale) -> disposal_pb2.EveningPlan | None:
    """When what a scan shows can be put out; None if that can't be told, which is no fault of the scan's."""
    try:
        with ScanClient(session.rest_url, session.token, locale) as client:
            told = client.schedule()
    except (ApiError, Disconnected):
        return None
    return next((one.plan for one in (*told.tonight, *told.later) if one.scan_id == scan_id), None)
