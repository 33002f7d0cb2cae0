"""`eco2 demo`: one photo through the whole of Eco², on a stack of its own; and its page, where there is a screen."""

import os
import sys
import webbrowser
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event
from time import monotonic

from eco2.scan.v1 import scan_pb2
from local.cli.api.rest import Question, ScanClient
from local.cli.display import progress, terminal
from local.cli.scans import results
from local.cli.scans.run import run as scan_photo
from local.cli.scans.sources import Source
from local.cli.screen import has_screen
from local.cli.session import Session
from local.stack import services
from local.stack.background import running
from mesh.locale import Locale

MAPO = (37.5663, 126.9019)
MAPO_REGION = "서울특별시/마포구"


def run(var: Path, photo: Path | None, question: Question, locale: Locale, *, as_json: bool = False) -> bool:
    """Starts a stack, scans the photo, shows the result, and stops the stack; after the page, if that could be opened.

    Args:
        var: The stack's folder; a second demo in the same folder starts quicker.
        photo: What to scan; by default a note on paper, drawn.
        question: What goes with it.
        locale: Language of the results.
        as_json: Whether to print the scan as JSON, and nothing else.

    Returns:
        Whether the scan succeeded.
    """
    began = monotonic()
    console = terminal.console(stderr=True)
    console.quiet = as_json
    screen = not as_json and has_screen(os.environ, sys.platform, is_terminal=console.is_terminal)
    with ExitStack() as exits:
        with console.status("Starting PostgreSQL, Valkey, SeaweedFS, Envoy and the services …"):
            session = Session.of(exits.enter_context(running(var, processes=services.cores(), demo=screen)))
        console.print(f"The stack is ready after {monotonic() - began:.1f} s: {session.rest_url}")
        last = _scan(session, photo or _drawn(var), question, locale, as_json=as_json)
        shown = monotonic()
        if screen and webbrowser.open(session.rest_url):
            console.print(f"The page is open in your browser: {session.rest_url}. Ctrl-C stops everything.")
            with suppress(KeyboardInterrupt):
                Event().wait()
            began += monotonic() - shown
        with console.status("Stopping everything …"):
            exits.close()
    console.print(f"Everything is stopped; the whole demo took {monotonic() - began:.1f} s.")
    return last.state == results.SUCCEEDED


def _scan(session: Session, photo: Path, question: Question, locale: Locale, *, as_json: bool) -> scan_pb2.Scan:
    with (
        ScanClient(session.rest_url, session.token, locale) as client,
        progress.board(silent=as_json) as board,
    ):
        last = scan_photo(client, Source(str(photo), photo), question, lambda scan: board.update(photo.name, scan))
    if as_json:
        terminal.print_json(last)
    else:
        results.show(session, last)
    return last


def _drawn(folder: Path) -> Path:
    from local import sample_photo  # not at the top: with it every eco2 command would load NumPy

    photo = folder / "note.jpg"
    photo.write_bytes(sample_photo.draw())
    return photo
