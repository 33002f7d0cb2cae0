"""`eco2 demo`: one photo through the whole of Eco², on a stack of its own."""

from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from rich.console import Console

from eco2.scan.v1 import scan_pb2
from local.cli import scanning
from local.cli.api.rest import Question
from local.cli.display import card
from local.cli.session import Session
from local.stack import services
from local.stack.background import running
from mesh.locale import Locale

MAPO = (37.5663, 126.9019)
MAPO_REGION = "서울특별시/마포구"


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
        with console.status("Starting PostgreSQL, Valkey, SeaweedFS, Envoy and the services …"):
            session = Session.of(exits.enter_context(running(var, processes=services.cores())))
        console.print(f"The stack is ready after {monotonic() - began:.1f} s: {session.rest_url}", highlight=False)
        last = scanning.scan(session, photo or _drawn(var), question, locale, console)
        console.print(card.render(last))
        with console.status("Stopping everything …"):
            exits.close()
    console.print(f"Everything is stopped; the whole demo took {monotonic() - began:.1f} s.", highlight=False)
    return last.state == scan_pb2.Scan.State.STATE_SUCCEEDED


def _drawn(folder: Path) -> Path:
    from local import sample_photo  # not at the top: with it every eco2 command would load NumPy

    photo = folder / "note.jpg"
    photo.write_bytes(sample_photo.draw())
    return photo
