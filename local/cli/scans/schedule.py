"""`eco2 schedule`: what of one's recent scans goes out on an evening."""

import click

from eco2.scan.v1 import scan_service_pb2
from local.cli.api.rest import ScanClient
from local.cli.commands import command
from local.cli.display import tables, terminal
from local.cli.display.tables import Column
from local.cli.options import Invocation, building, common, region
from local.cli.rulebook.joined import chosen
from mesh.locale import Locale, Text

_HEADINGS = {
    Locale.KO: ("스캔", "무엇", "내놓는 때", "내놓는 곳", "기준일"),
    Locale.EN: ("scan", "what it is", "when", "where it goes", "as of"),
}
_NOTHING = Text(
    ko="내놓을 것이 없어요. 스캔해 보세요: eco2 scan PHOTO", en="Nothing to put out. Make a scan: eco2 scan PHOTO"
)


@command(
    "schedule", "eco2 schedule", "eco2 schedule --region 서울특별시/마포구 --date 2026-12-01",
    "eco2 schedule --put-out SCAN_ID",
)  # fmt: skip
@region
@building
@click.option("--date", default="", metavar="YYYY-MM-DD", help="Whose evening is meant.  [default: today's]")
@click.option("--put-out", default="", metavar="SCAN_ID", help="Leave this scan out from now on.")
@common
def schedule(invocation: Invocation, region: str, building: str, date: str, put_out: str) -> None:
    """List what of your recent scans can go out this evening.

    Then what goes out later, then what isn't known.
    """
    session, locale = invocation.session(), invocation.locale
    with ScanClient(session.rest_url, session.token, locale) as client:
        if put_out:
            client.put_out(put_out)
        told = client.schedule(region, chosen(building, region, invocation.var), date)
    everything = [*told.tonight, *told.later, *told.unknown]
    if invocation.as_json:
        terminal.print_json(told)
    elif everything:
        scan_id, *others = _HEADINGS[locale]
        tables.show([Column(scan_id, whole=True), *tables.columns(*others)], map(_planned, everything))
    else:
        print(_NOTHING[locale])


def _planned(one: scan_service_pb2.ScheduledScan) -> tuple[str, ...]:
    plan = one.plan
    when = plan.text if plan.date else plan.rule.when or plan.region.notice or plan.text
    where = " · ".join(filter(None, (plan.rule.container, plan.rule.place)))
    return one.scan_id, one.display_name, when, where, plan.as_of
