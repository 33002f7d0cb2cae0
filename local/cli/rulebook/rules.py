"""`eco2 rules`: the disposal rules of a category in a region."""

from collections.abc import Iterator

import click

from eco2.rules.v1 import disposal_pb2
from local.cli.api.rules import RulesClient
from local.cli.commands import Group, command
from local.cli.display import terminal
from local.cli.display.labels import LABELS
from local.cli.display.take_apart import part_lines
from local.cli.options import Invocation, building, common, region
from local.cli.rulebook.joined import chosen
from mesh.locale import Locale, Text

_HEADINGS = {
    Locale.KO: ("이유", "버리는 곳", "내놓는 곳", "내놓는 때", "수수료", "넣지 마세요", "근거"),
    Locale.EN: ("Why", "Where", "Put out", "When", "Fee", "Keep out", "Source"),
}
_UNSURE = Text(
    ko="무엇인지 확실하지 않아요: {name}. 이 가운데 있나요? {meant}",
    en="Not sure what this is: {name}. Is it one of these? {meant}",
)
_NOTHING = Text(ko="그런 이름은 없어요: {name}", en="Nothing is called so: {name}")


@click.group("rules", cls=Group, no_args_is_help=True)
def rules() -> None:
    """What to do with a thing, and where."""


@command(
    "show", "eco2 rules show 무색페트병", "eco2 rules show 'milk carton' --region 서울특별시/마포구",
    "eco2 rules show 피자박스 --tag 오염_심함 --json",
)  # fmt: skip
@click.argument("name")
@region
@building
@click.option("--tag", "tags", multiple=True, help="A situation, such as 오염_심함; may be repeated.")
@common
def show(invocation: Invocation, name: str, region: str, building: str, tags: tuple[str, ...]) -> int:
    """Print how to dispose of a thing.

    NAME is what it is called, such as 무색페트병 or 'milk carton'.
    """
    session, locale = invocation.session(), invocation.locale
    with RulesClient(session.rest_url, session.token, locale) as client:
        found = client.find(name).items
        if not found or not found[0].sure:
            meant = ", ".join(item.display_name for item in found)
            line = (_UNSURE if meant else _NOTHING)[locale].format(name=name, meant=meant)
            terminal.complain(line, "NOT_FOUND", as_json=invocation.as_json)
            return 1
        item = found[0]
        at_home = chosen(building, region, invocation.var)
        matched = client.match(item.category, [*item.tags, *tags], region, at_home)
    if invocation.as_json:
        terminal.print_json(matched)
        return 0
    rule, applied = matched.rules[0], matched.region
    print(terminal.bold(f"{rule.title} · {applied.display_name}"))
    for line in (*filter(None, [item.note]), *lines(rule, locale)):
        print(line)
    if item.source:
        print(terminal.dim(f"{item.matched_text}: {item.source} ({item.as_of})"))
    print(terminal.dim(applied.notice))
    return 0


rules.add_command(show)


def lines(rule: disposal_pb2.DisposalRule, locale: Locale) -> Iterator[str]:
    """A rule as text: steps, hazards, then the rest with headings."""
    why, where, place, when, fee, keep_out, source = _HEADINGS[locale]
    yield from (f"{number}. {step}" for number, step in enumerate(rule.steps, start=1))
    yield from (f"⚠ {hazard}" for hazard in rule.hazards)
    yield from (f"{LABELS[locale].apart} {step}" for step in part_lines(rule))
    told = ((why, rule.why), (where, rule.container), (place, rule.place), (when, rule.when), (fee, rule.fee))
    yield from (f"{heading}: {text}" for heading, text in told if text)
    yield from (f"{keep_out}: {out.item} → {out.instead}" for out in rule.exclusions)
    yield f"{source}: {rule.source}"
    if rule.local_source:
        yield rule.local_source
