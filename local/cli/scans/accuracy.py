"""`eco2 accuracy`: how often each class was right."""

import click

from eco2.scan.v1 import scan_service_pb2
from local.cli.api.rest import ScanClient
from local.cli.commands import command
from local.cli.display import tables, terminal
from local.cli.display.names import Names
from local.cli.display.tables import Column
from local.cli.options import Invocation, common
from local.cli.scans import results
from mesh.locale import Locale, Text

_HEADINGS = {
    Locale.KO: ("분류기", "분류", "확신도", "답한 수", "고친 수", "맞다고 한 수"),
    Locale.EN: ("classifier", "class", "confidence", "answered", "corrected", "confirmed"),
}
_NONE = Text(ko="아직 다섯 번 답한 분류가 없어요.", en="No class was answered five times yet.")


@command("accuracy", "eco2 accuracy", "eco2 accuracy --provider offline --json")
@click.option("--provider", default="", help="Only of this classifier, such as offline.")
@common
def accuracy(invocation: Invocation, provider: str) -> None:
    """Show how often each class was right, by what users replied.

    Of all users together; numbers below five are withheld.
    """
    session, locale = invocation.session(), invocation.locale
    with ScanClient(session.rest_url, session.token, locale) as client:
        found = client.accuracy(provider)
    if invocation.as_json:
        terminal.print_json(found)
    elif found.classes:
        classifier, category, *figures = _HEADINGS[locale]
        shape = [*tables.columns(classifier, category), *(Column(name, number=True) for name in figures)]
        names = results.names(session, locale)
        tables.show(shape, (_line(one, names) for one in found.classes))
    else:
        print(_NONE[locale])


def _line(one: scan_service_pb2.ClassAccuracy, names: Names) -> tuple[str, ...]:
    corrected = str(one.corrected) if one.HasField("corrected") else "<5"
    confirmed = str(one.confirmed) if one.HasField("confirmed") else "<5"
    share = f"{one.confidence_from:.0%}-{one.confidence_to:.0%}"
    return one.provider, names.path(one.category), share, str(one.answered), corrected, confirmed
