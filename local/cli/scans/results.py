"""A finished scan as people read it: the card, with what the rule book adds to it."""

from eco2.rules.v1 import disposal_pb2
from eco2.scan.v1 import scan_pb2
from local.cli.api.errors import ApiError
from local.cli.api.rest import ScanClient
from local.cli.api.rules import RulesClient
from local.cli.display import terminal
from local.cli.display.names import Names
from local.cli.session import Session
from local.errors import Disconnected
from mesh.locale import Locale

SUCCEEDED = scan_pb2.Scan.State.STATE_SUCCEEDED


def show(session: Session, scan: scan_pb2.Scan) -> None:
    """Prints a scan's card, in the scan's language."""
    from local.cli.display import card  # with it comes all of rich, which JSON does without

    locale = Locale.parse(scan.locale)
    terminal.console().print(card.render(scan, plan(session, scan), names(session, locale)))


def names(session: Session, locale: Locale) -> Names:
    """What categories are called; only what can be told without the rule book while that can't be asked."""
    try:
        with RulesClient(session.rest_url, session.token, locale) as client:
            return Names.of(client.taxonomy(), locale)
    except (ApiError, Disconnected):
        return Names(locale)


def plan(session: Session, scan: scan_pb2.Scan) -> disposal_pb2.EveningPlan | None:
    """When what a scan shows can be put out; None if that can't be told, which is no fault of the scan's."""
    if scan.state != SUCCEEDED:
        return None
    try:
        with ScanClient(session.rest_url, session.token, Locale.parse(scan.locale)) as client:
            told = client.schedule()
    except (ApiError, Disconnected):
        return None
    return next((one.plan for one in (*told.tonight, *told.later) if one.scan_id == scan.scan_id), None)
