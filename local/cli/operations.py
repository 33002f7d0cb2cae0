"""Commands for operators: the queue, dead letters, webhooks, and replays of them."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click
from google.protobuf.timestamp_pb2 import Timestamp

from eco2.scan.v1 import operations_service_pb2 as pb
from local.cli.api.errors import ErrorText
from local.cli.commands import Group, command
from local.cli.display import tables, terminal
from local.cli.display.tables import Column
from local.cli.options import Invocation, common
from local.cli.session import variables
from mesh.locale import Locale
from mesh.reasons import Reason

if TYPE_CHECKING:
    from local.cli.api.grpc import DeadLetterFilter, OperationsClient

_AGE = re.compile(r"(\d{1,9})\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TEN_YEARS = 3650 * 86_400  # the longest age that can be asked for

C = TypeVar("C")


class Age(click.ParamType[int]):
    """An age such as 90s, 30m, 2h or 7d, as seconds."""

    name = "age"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """As click calls it."""
        if isinstance(value, int):
            return value
        match = _AGE.fullmatch(value)
        if match is None:
            self.fail("write it as 90s, 30m, 2h or 7d", param, ctx)
        seconds = int(match[1]) * _SECONDS[match[2]]
        if seconds > _TEN_YEARS:
            self.fail("at most ten years: 3650d", param, ctx)
        return seconds


def _filtered(called: C) -> C:
    """Gives a command the options that select dead letters."""
    for option in (
        click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many."),
        click.option("--archived", is_flag=True, help="Those that wait for a person, instead of the others."),
        click.option(
            "--min-age", type=Age(), default=0, metavar="AGE", help="Only those dead for so long: 30m, 2h, 7d."
        ),
        click.option(
            "--reason", type=click.Choice([one.value for one in Reason]), metavar="REASON",
            help="Only with this last error.",
        ),
        click.option("--stage", default="", help="Only of this stage."),
    ):  # fmt: skip
        called = option(called)  # type: ignore[type-var]
    return called


def _wanted(options: dict[str, Any]) -> "DeadLetterFilter":
    from local.cli.api.grpc import DeadLetterFilter

    reason = Reason(options["reason"]) if options["reason"] else None
    return DeadLetterFilter(options["stage"], reason, options["min_age"], options["archived"])


@contextmanager
def _operations(invocation: Invocation) -> Iterator["OperationsClient"]:
    from local.cli.api.grpc import OperationsClient, scan_channel  # not at the top: gRPC is needed for the call alone

    with scan_channel(variables(invocation.var, os.environ)) as channel:
        yield OperationsClient(channel, invocation.locale)


@click.group("dead-letters", cls=Group, no_args_is_help=True)
def letters() -> None:
    """Scans and jobs that failed: look at them, try them again."""


@click.group("webhooks", cls=Group, no_args_is_help=True)
def webhooks() -> None:
    """What was told about a scan's end: look at it, tell it again."""


@command("list", "eco2 dead-letters list", "eco2 dead-letters list --stage answer --reason MODEL_RATE_LIMITED --json")
@_filtered
@common
def list_letters(invocation: Invocation, limit: int, **options: Any) -> None:
    """List dead letters, longest dead first."""
    with _operations(invocation) as operations:
        found = operations.dead_letters(_wanted(options), limit)
    if invocation.as_json:
        terminal.print_json(found)
    elif found.dead_letters:
        names = ("kind", "user", "stage", "attempts", "replays", "died", "cost", "reason", "text")
        rows = (_letter(one, invocation.locale) for one in found.dead_letters)
        tables.show([Column("id", whole=True), *tables.columns(*names)], rows)
    else:
        print("No dead letters.")


@command("replay", "eco2 dead-letters replay SCAN_ID", "eco2 dead-letters replay --all --stage answer --min-age 2h")
@click.argument("scan_id", default="")
@click.option("--all", "everything", is_flag=True, help="All that match the options below.")
@_filtered
@common
def replay(invocation: Invocation, scan_id: str, everything: bool, limit: int, **options: Any) -> None:
    """Queue dead letters again, from the stage that failed.

    SCAN_ID alone, which may be that of a job, or with --all those that match.
    """
    if bool(scan_id) == everything:
        raise click.BadParameter("name one scan, or give --all")
    with _operations(invocation) as operations:
        one = operations.replay(scan_id) if scan_id else None
        many = None if one else operations.replay_all(_wanted(options), limit)
    if invocation.as_json:
        terminal.print_json(one or many or {})
    elif one:
        print(f"Queued again from stage {one.stage}.")
    elif many:
        print(f"Queued again: {many.replayed_count}.")


@command("archive", "eco2 dead-letters archive SCAN_ID")
@click.argument("scan_id")
@common
def archive(invocation: Invocation, scan_id: str) -> None:
    """Archive a dead letter: it isn't replayed automatically any more."""
    with _operations(invocation) as operations:
        found = operations.archive(scan_id)
    if invocation.as_json:
        terminal.print_json(found)
    else:
        print(f"Archived at stage {found.dead_letter.stage}.")


@command("queue", "eco2 queue", "eco2 queue --json | jq .webhooks.ready")
@common
def queue(invocation: Invocation) -> None:
    """Show how much waits, and for how long already."""
    with _operations(invocation) as operations:
        stats = operations.stats()
    if invocation.as_json:
        terminal.print_json(stats)
        return
    figures = [Column(name, number=True) for name in ("ready", "in flight", "dead", "oldest", "batch")]
    rows = [*(_counts(entry.stage, entry) for entry in stats.stages), _counts("webhooks", stats.webhooks)]
    tables.show([Column("stage"), *figures], rows)


@command("list", "eco2 webhooks list SCAN_ID", "eco2 webhooks list SCAN_ID --json")
@click.argument("scan_id")
@common
def list_webhooks(invocation: Invocation, scan_id: str) -> None:
    """List a scan's webhooks with every try to deliver them."""
    with _operations(invocation) as operations:
        found = operations.deliveries(scan_id)
    if invocation.as_json:
        terminal.print_json(found)
        return
    for delivery in found.deliveries:
        state = pb.WebhookDelivery.State.Name(delivery.state).removeprefix("STATE_")
        due = f", next try {_moment(delivery.next_time)}" if delivery.HasField("next_time") else ""
        print(f"{delivery.webhook_id}  {delivery.event}  {state}{due}\n{delivery.url}")
        if delivery.attempts:
            tables.show(tables.columns("try", "at", "status", "took", "error"), map(_attempt, delivery.attempts))
        else:
            print("Not tried yet.")
    if not found.deliveries:
        print("No webhooks.")


@command("redeliver", "eco2 webhooks redeliver WEBHOOK_ID")
@click.argument("webhook_id")
@common
def redeliver(invocation: Invocation, webhook_id: str) -> None:
    """Deliver a webhook again, under the same id.

    WEBHOOK_ID is told by `eco2 webhooks list`.
    """
    with _operations(invocation) as operations:
        operations.redeliver(webhook_id)
    if invocation.as_json:
        terminal.print_json({"webhook_id": webhook_id, "queued": True})
    else:
        print("Queued again.")


for _command in (list_letters, replay, archive):
    letters.add_command(_command)
for _command in (list_webhooks, redeliver):
    webhooks.add_command(_command)


def _letter(letter: pb.DeadLetter, language: Locale) -> tuple[str, ...]:
    failure = ErrorText.of(letter.error, language)
    whose = letter.scan_id, letter.kind, letter.user
    counts = (str(letter.attempts), str(letter.replays))
    died = _moment(letter.dead_time)
    return *whose, letter.stage, *counts, died, cost(letter), failure.reason, failure.text


def cost(letter: pb.DeadLetter) -> str:
    """What the failed tries have cost, to the millionth of a dollar; a dash if no model was called."""
    return f"${letter.usage.cost_micro_usd / 1e6:.6f}" if letter.HasField("usage") else "–"


def _attempt(one: pb.WebhookAttempt) -> tuple[str, ...]:
    status = str(one.status) if one.HasField("status") else "–"
    return str(one.attempt), _moment(one.time), status, f"{one.duration.ToMilliseconds()} ms", one.error


def _counts(name: str, stats: pb.StageStats) -> tuple[str, ...]:
    oldest = timedelta(seconds=stats.oldest_age.seconds)
    return name, str(stats.ready), str(stats.in_flight), str(stats.dead), str(oldest), str(stats.batch_ready)


def _moment(time: Timestamp) -> str:
    return time.ToDatetime().isoformat(" ", "minutes")
