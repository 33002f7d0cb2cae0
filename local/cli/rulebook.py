"""`eco2 rules`: the disposal rules of a category in a region."""

import os
from collections.abc import Iterator
from typing import Annotated

import grpc
import typer
from rich.console import Console

from eco2.rules.v1 import disposal_pb2
from local.cli.api.grpc import RulesClient
from local.cli.buildings import chosen
from local.cli.options import VAR, Building, Language, Var
from local.cli.session import Session
from mesh.locale import Locale

rules = typer.Typer(help="The rule book: what to do with a thing, and where.", no_args_is_help=True)

_out = Console()
_err = Console(stderr=True)

_HEADINGS = {
    Locale.KO: ("이유", "버리는 곳", "내놓는 곳", "내놓는 때", "수수료", "넣지 마세요", "근거"),
    Locale.EN: ("Why", "Where", "Put out", "When", "Fee", "Keep out", "Source"),
}


@rules.callback()
def _group() -> None:
    """Keeps `show` a command of its own while it is the only one."""


@rules.command()
def show(
    name: Annotated[str, typer.Argument(help="What it is called, such as 무색페트병 or 'milk carton'.")],
    language: Language,
    var: Var = VAR,
    region: Annotated[str, typer.Option(help="Where you live, such as 서울특별시/마포구.")] = "",
    building: Building = "",
    tag: Annotated[list[str] | None, typer.Option(help="A situation, such as 오염_심함; may be repeated.")] = None,
) -> None:
    """Prints how to dispose of a thing."""
    session = Session.find(var, os.environ)
    with grpc.insecure_channel(session.grpc_target) as channel:
        client = RulesClient(channel, session.token, language)
        found = client.find(name)
        if not found or not found[0].sure:
            meant = ", ".join(item.display_name for item in found)
            _err.print(
                f"Not sure what this is: {name}. Is it one of these? {meant}"
                if meant
                else f"Nothing is called so: {name}",
                markup=False,
                soft_wrap=True,
            )
            raise typer.Exit(1)
        item = found[0]
        matched = client.match(item.category, [*item.tags, *(tag or [])], region, chosen(building, region, var))
    rule, applied = matched.rules[0], matched.region
    _out.print(f"{rule.title} · {applied.display_name}", style="bold")
    for line in (*filter(None, [item.note]), *lines(rule, language)):
        _out.print(line, markup=False, highlight=False, soft_wrap=True)
    if item.source:
        _out.print(f"{item.matched_text}: {item.source} ({item.as_of})", style="dim", markup=False, soft_wrap=True)
    _out.print(applied.notice, style="dim", markup=False, soft_wrap=True)


def lines(rule: disposal_pb2.DisposalRule, locale: Locale) -> Iterator[str]:
    """A rule as text: steps, hazards, then the rest with headings."""
    why, where, place, when, fee, keep_out, source = _HEADINGS[locale]
    yield from (f"{number}. {step}" for number, step in enumerate(rule.steps, start=1))
    yield from (f"⚠ {hazard}" for hazard in rule.hazards)
    told = ((why, rule.why), (where, rule.container), (place, rule.place), (when, rule.when), (fee, rule.fee))
    yield from (f"{heading}: {text}" for heading, text in told if text)
    yield from (f"{keep_out}: {out.item} → {out.instead}" for out in rule.exclusions)
    yield f"{source}: {rule.source}"
    if rule.local_source:
        yield rule.local_source
