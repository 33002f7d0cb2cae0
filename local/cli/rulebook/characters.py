"""`eco2 characters`: the catalogue, and what one has earned."""

from collections.abc import Iterable, Iterator

import click

from eco2.character.v1 import character_pb2
from local.cli.api.rules import RulesClient
from local.cli.commands import command
from local.cli.display import tables, terminal
from local.cli.display.names import Names
from local.cli.display.values import local_time
from local.cli.options import Invocation, common
from mesh.locale import Locale, Text

_RECYCLABLE = "재활용폐기물"  # whose middle categories have characters
_HEADINGS = {
    Locale.KO: ("캐릭터", "분류", "얻은 때", "횟수", "하는 말"),
    Locale.EN: ("character", "category", "earned", "times", "says"),
}
_NONE = Text(
    ko="아직 얻은 캐릭터가 없어요. 스캔해 보세요: eco2 scan PHOTO", en="None yet. Make a scan: eco2 scan PHOTO"
)


@command("characters", "eco2 characters", "eco2 characters --mine --json")
@click.option("--mine", is_flag=True, help="Only those that you earned.")
@common
def characters(invocation: Invocation, mine: bool) -> None:
    """List the characters, and which of them you earned.

    A well-sorted recyclable earns the one of its category.
    """
    session, locale = invocation.session(), invocation.locale
    with RulesClient(session.rest_url, session.token, locale) as client:
        owned = client.owned_characters()
        if invocation.as_json:
            terminal.print_json(owned if mine else client.characters())
            return
        everybody = [one.character for one in owned.characters] if mine else client.characters().characters
        names = Names.of(client.taxonomy(), locale)
    if everybody:
        rows = _rows(everybody, {one.character.character_id: one for one in owned.characters}, names)
        tables.show(tables.columns(*_HEADINGS[locale]), rows)
    else:
        print(_NONE[locale])


def _rows(
    everybody: Iterable[character_pb2.Character], owned: dict[str, character_pb2.OwnedCharacter], names: Names
) -> Iterator[tuple[str, ...]]:
    for one in everybody:
        category = names.level(_RECYCLABLE, one.middle) if one.middle else "–"
        if found := owned.get(one.character_id):
            earned, count = local_time(found.first_earned_time), str(found.count)
        else:
            earned, count = "–", "–"
        yield one.name, category, earned, count, one.dialogue
