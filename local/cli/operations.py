"""Commands for operators: the queue, dead letters, webhooks, and replays of them."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Column

from eco2.scan.v1 import operations_service_pb2 as pb
from local.cli.api.errors import ErrorText
from local.cli.api.grpc import DeadLetterFilter, OperationsClient
from local.cli.display import tables
from local.cli.options import VAR, Language, Var
from local.cli.session import scan_channel
from mesh.locale import Locale
from mesh.reasons import Reason

letters = typer.Typer(help="Scans that failed for good: look at them, try them again.", no_args_is_help=True)
webhooks = typer.Typer(help="What was told about a scan's end: look at it, tell it again.", no_args_is_help=True)

_out = Console()

_AGE = re.compile(r"(\d{1,9})\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TEN_YEARS = 3650 * 86_400  # the longest age that can be asked for


def age(text: str) -> int:
    """Seconds of an age such as 90s, 30m, 2h or 7d.

    Raises:
        typer.BadParameter: It isn't an age, or more than ten years.
    """
    match = _AGE.fullmatch(text)
    if match is None:
        raise typer.BadParameter("write it as 90s, 30m, 2h or 7d")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if seconds > _TEN_YEARS:
        raise typer.BadParameter("at most ten years: 3650d")
    return seconds


Stage = Annotated[str, typer.Option(help="Only of this stage.")]
Because = Annotated[Reason | None, typer.Option("--reason", metavar="REASON", help="Only with this last error.")]
MinAge = Annotated[int, typer.Option(parser=age, metavar="AGE", help="Only those dead for so long: 30m, 2h, 7d.")]
Archived = Annotated[bool, typer.Option("--archived", help="Those that wait for a person, instead of the others.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="How many.")]


@letters.command("list")
def list_letters(
    language: Language,
    var: Var = VAR,
    stage: Stage = "",
    reason: Because = None,
    min_age: MinAge = "0s",  # type: ignore[assignment]  # typer parses defaults as well
    archived: Archived = False,
    limit: Limit = 50,
) -> None:
    """Lists dead letters, longest dead first."""
    with _operations(var, language) as operations:
        dead = operations.dead_letters(DeadLetterFilter(stage, reason, min_age, archived), limit)
    if not dead:
        _out.print("No dead letters.")
        return
    names = ("stage", "attempts", "replays", "died", "cost", "reason", "text")
    tables.show(_out, [Column("scan", no_wrap=True), *map(Column, names)], [_letter(one, language) for one in dead])


@letters.command()
def replay(
    language: Language,
    scan_id: Annotated[str, typer.Argument(help="Which scan; or none, with --all.")] = "",
    var: Var = VAR,
    everything: Annotated[bool, typer.Option("--all", help="All that match the options below.")] = False,
    stage: Stage = "",
    reason: Because = None,
    min_age: MinAge = "0s",  # type: ignore[assignment]  # typer parses defaults as well
    archived: Archived = False,
    limit: Limit = 50,
) -> None:
    """Queues dead letters again, from the stage that failed: one, or with --all those that match."""
    if bool(scan_id) == everything:
        raise typer.BadParameter("name one scan, or give --all")
    with _operations(var, language) as operations:
        if scan_id:
            _out.print(f"Queued again from stage {operations.replay(scan_id)}.")
        else:
            count = operations.replay_all(DeadLetterFilter(stage, reason, min_age, archived), limit)
            _out.print(f"Queued again: {count}.")


@letters.command()
def archive(scan_id: Annotated[str, typer.Argument(help="Which scan.")], language: Language, var: Var = VAR) -> None:
    """Archives a dead letter: it isn't replayed automatically any more."""
    with _operations(var, language) as operations:
        _out.print(f"Archived at stage {operations.archive(scan_id).stage}.")


def queue(language: Language, var: Var = VAR) -> None:
    """Shows how much waits, and for how long already."""
    with _operations(var, language) as operations:
        stats = operations.stats()
    figures = [Column(name, justify="right") for name in ("ready", "in flight", "dead", "oldest")]
    rows = [*(_counts(entry.stage, entry) for entry in stats.stages), _counts("webhooks", stats.webhooks)]
    tables.show(_out, [Column("stage"), *figures], rows)


@webhooks.command("list")
def list_webhooks(
    scan_id: Annotated[str, typer.Argument(help="Whose webhooks.")], language: Language, var: Var = VAR
) -> None:
    """Lists a scan's webhooks with every try to deliver them."""
    with _operations(var, language) as operations:
        deliveries = operations.deliveries(scan_id)
    for delivery in deliveries:
        state = pb.WebhookDelivery.State.Name(delivery.state).removeprefix("STATE_")
        due = f", next try {_moment(delivery.next_time)}" if delivery.HasField("next_time") else ""
        _out.print(f"{delivery.webhook_id}  {delivery.event}  {state}{due}\n{delivery.url}", soft_wrap=True)
        if delivery.attempts:
            columns = [Column(name) for name in ("try", "at", "status", "took", "error")]
            tables.show(_out, columns, map(_attempt, delivery.attempts))
        else:
            _out.print("Not tried yet.")
    if not deliveries:
        _out.print("No webhooks.")


@webhooks.command()
def redeliver(
    webhook_id: Annotated[str, typer.Argument(help="Which webhook: see `eco2 webhooks list`.")],
    language: Language,
    var: Var = VAR,
) -> None:
    """Delivers a webhook again, under the same id."""
    with _operations(var, language) as operations:
        operations.redeliver(webhook_id)
    _out.print("Queued again.")


@contextmanager
def _operations(var: Path, language: Language) -> Iterator[OperationsClient]:
    with scan_channel(var, os.environ) as channel:
        yield OperationsClient(channel, language)


def _letter(letter: pb.DeadLetter, language: Locale) -> tuple[str, ...]:
    failure = ErrorText.of(letter.error, language)
    counts = (str(letter.attempts), str(letter.replays))
    died = _moment(letter.dead_time)
    return letter.scan_id, letter.stage, *counts, died, cost(letter), failure.reason, failure.text


def cost(letter: pb.DeadLetter) -> str:
    """What the failed tries have cost, to the millionth of a dollar; a dash if no model was called."""
    return f"${letter.usage.cost_micro_usd / 1e6:.6f}" if letter.HasField("usage") else "–"


def _attempt(one: pb.WebhookAttempt) -> tuple[str, ...]:
    status = str(one.status) if one.HasField("status") else "–"
    return str(one.attempt), _moment(one.time), status, f"{one.duration.ToMilliseconds()} ms", one.error


def _counts(name: str, stats: pb.StageStats) -> tuple[str, ...]:
    oldest = timedelta(seconds=stats.oldest_age.seconds)
    return name, str(stats.ready), str(stats.in_flight), str(stats.dead), str(oldest)


def _moment(time: Timestamp) -> str:
    return time.ToDatetime().isoformat(" ", "minutes")
