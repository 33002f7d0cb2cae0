"""`eco2 items`, `eco2 taxonomy`: what a thing counts as, and all there is."""

from collections.abc import Iterable, Iterator

import click

from eco2.rules.v1 import rules_service_pb2
from local.cli.api.rules import RulesClient
from local.cli.commands import command
from local.cli.display import tables, terminal
from local.cli.options import Invocation, common
from mesh.locale import Text

_ITEM, _CATEGORY, _SURE = Text(ko="품목", en="item"), Text(ko="분류", en="category"), Text(ko="확실", en="sure")
_NOTE, _YES = Text(ko="알아 둘 점", en="note"), Text(ko="예", en="yes")
_NOTHING = Text(ko="그런 이름은 없어요: {name}", en="Nothing is called so: {name}")


@command("items", "eco2 items 우유갑", "eco2 items 'plastic bottle' --limit 3", "eco2 items ㅍㅌㅂ --json")
@click.argument("name", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 20), default=5, show_default=True, help="How many.")
@common
def items(invocation: Invocation, name: tuple[str, ...], limit: int) -> int:
    """Find what a thing counts as, by its name.

    In Korean, also misspelt, with particles or by initial consonants alone, or in English. What isn't sure is a guess.
    """
    session, wanted = invocation.session(), " ".join(name)
    with RulesClient(session.rest_url, session.token, invocation.locale) as client:
        found = client.find(wanted, limit)
    if invocation.as_json:
        terminal.print_json(found)
        return 0
    locale = invocation.locale
    if not found.items:
        terminal.complain(_NOTHING[locale].format(name=wanted), "NOT_FOUND", as_json=False)
        return 1
    headings = (_ITEM[locale], _CATEGORY[locale], _SURE[locale], _NOTE[locale])
    yes = _YES[locale]
    rows = (
        (one.display_name, " › ".join(one.category_path), yes if one.sure else "–", one.note) for one in found.items
    )
    tables.show(tables.columns(*headings), rows)
    return 0


@command("taxonomy", "eco2 taxonomy", "eco2 taxonomy --locale en --json")
@common
def taxonomy(invocation: Invocation) -> None:
    """List all categories.

    Major, middle and minor ones, each indented below the one it belongs to.
    """
    session = invocation.session()
    with RulesClient(session.rest_url, session.token, invocation.locale) as client:
        found = client.taxonomy()
    if invocation.as_json:
        terminal.print_json(found)
        return
    for line in _tree(found.majors):
        print(line)


def _tree(nodes: Iterable[rules_service_pb2.TaxonomyNode], depth: int = 0) -> Iterator[str]:
    for node in nodes:
        yield "  " * depth + node.display_name
        yield from _tree(node.children, depth + 1)
