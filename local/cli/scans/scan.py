"""`eco2 scan`: photos, by their files or web addresses."""

from collections.abc import Sequence

import click

from eco2.scan.v1 import scan_pb2
from local.cli import exit_status
from local.cli.api.rest import Question, ScanClient
from local.cli.commands import command
from local.cli.display import progress, tables, terminal
from local.cli.display.tables import Column
from local.cli.options import Invocation, building, common, location, question
from local.cli.rulebook.joined import chosen
from local.cli.scans import results
from local.cli.scans.many import Outcome, outcomes
from local.cli.scans.run import run
from local.cli.scans.sources import Source
from local.cli.session import Session
from mesh.locale import Locale, Text

_HEADINGS = {
    Locale.KO: ("사진", "무엇", "확신도", "버리는 곳", "스캔"),
    Locale.EN: ("photo", "what it is", "sure", "where it goes", "scan"),
}
_FAILED = Text(ko="사진 {count}장 가운데 {failed}장을 스캔하지 못했어요.", en="{failed} of {count} photos failed.")


@command(
    "scan", "eco2 scan cup.jpg", "eco2 scan cup.jpg --region 서울특별시/마포구 --user-input '뚜껑은 어떻게 해요?'",
    "eco2 scan *.jpg https://example.com/can.png --at-once 8", "eco2 scan *.jpg --json > scans.jsonl",
)  # fmt: skip
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...", type=click.Path(path_type=str))
@question()
@building
@click.option("--at-once", type=click.IntRange(1, 32), default=4, show_default=True, help="How many at a time.")
@common
def scan(
    invocation: Invocation,
    photos: tuple[str, ...],
    text: str,
    latitude: float | None,
    longitude: float | None,
    region: str,
    building: str,
    at_once: int,
) -> int:
    """Scan photos, by their files or web addresses.

    PHOTO is a JPEG, PNG, WebP or HEIC file, or the address of one. One comes back as a card, several as a table; with
    --json each is a line, as soon as it ends. A photo that fails stops no other: of several, the exit status is ten
    more than the number that failed.
    """
    home = chosen(building, region, invocation.var)
    asked = Question(text, location(latitude, longitude), region, home)
    sources = [Source.of(one) for one in photos]
    if len(sources) == 1 and sources[0].file:
        sources[0].read()  # before a stack is asked for
    session = invocation.session()
    with ScanClient(session.rest_url, session.token, invocation.locale) as client:
        if len(sources) == 1:
            return _one(session, client, sources[0], asked, invocation)
        return _several(client, sources, asked, at_once, invocation)


def _one(session: Session, client: ScanClient, source: Source, asked: Question, invocation: Invocation) -> int:
    with progress.board(silent=invocation.as_json) as board:
        last = run(client, source, asked, lambda state: board.update(source.name, state))
    if invocation.as_json:
        terminal.print_json({"source": source.text, **terminal.document(last)})
    else:
        results.show(session, last)
    return 0 if last.state == results.SUCCEEDED else 1


def _several(
    client: ScanClient, sources: Sequence[Source], asked: Question, at_once: int, invocation: Invocation
) -> int:
    ended: list[Outcome] = []
    with progress.board(silent=invocation.as_json, many=True) as board:

        def work(source: Source) -> scan_pb2.Scan:
            try:
                return run(client, source, asked, lambda state: board.update(source.text, state))
            finally:
                board.remove(source.text)

        for outcome in outcomes(sources, work, at_once):
            ended.append(outcome)
            if outcome.error:
                text = outcome.source.text
                exit_status.complain(text, outcome.error, as_json=invocation.as_json, source=text)
            elif invocation.as_json and outcome.scan:
                terminal.print_json({"source": outcome.source.text, **terminal.document(outcome.scan)})
    failed = sum(one.scan is None or one.scan.state != results.SUCCEEDED for one in ended)
    if not invocation.as_json:
        _table(sources, ended, invocation.locale)
        if failed:
            line = _FAILED[invocation.locale].format(count=len(sources), failed=failed)
            terminal.complain(line, "FAILED", as_json=False)
    return exit_status.of_several(failed)


def _table(sources: Sequence[Source], ended: Sequence[Outcome], locale: Locale) -> None:
    photo, what, sure, where, scan_id = _HEADINGS[locale]
    shape = [*tables.columns(photo, what), Column(sure, number=True), Column(where), Column(scan_id, whole=True)]
    order = {source: place for place, source in enumerate(sources)}
    rows = [
        _row(one.source, one.scan, locale)
        for one in sorted(ended, key=lambda one: order[one.source])
        if one.scan is not None
    ]
    if rows:
        tables.show(shape, rows)


def _row(source: Source, scan: scan_pb2.Scan, locale: Locale) -> tuple[str, ...]:
    from local.cli.scans.history import state_name

    if scan.state != results.SUCCEEDED:
        return source.text, state_name(scan.state, locale), "–", "–", scan.scan_id
    seen = scan.classification
    container = scan.rules[0].container if scan.rules else "–"
    sure = f"{seen.confidence:.0%}" if seen.HasField("confidence") else "–"  # the user's own words have none
    return source.text, seen.display_name, sure, container, scan.scan_id
