"""A command for operators: what happened to one scan or job."""

import os

import click

from eco2.events.v1.event_pb2 import Event
from eco2.events.v1.events_service_pb2 import ListEventsResponse
from local.cli.commands import command
from local.cli.display import tables, terminal
from local.cli.display.tables import Column
from local.cli.options import Invocation, common
from local.cli.session import variables

_COLUMNS = [*tables.columns("time", "kind", "type", "stage"), Column("try", number=True), Column("worker", number=True),
            *tables.columns("reason", "next try")]  # fmt: skip


@command("events", "eco2 events SCAN_ID", "eco2 events SCAN_ID --follow --json | jq -r .type")
@click.argument("job_id")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C: a line an event.")
@common
def events(invocation: Invocation, job_id: str, follow: bool) -> None:
    """Show the whole life of a scan or job, event by event.

    JOB_ID is a scan, with its webhooks, its reward and its replies, or another job.
    """
    # Not at the top: gRPC is needed for the call alone.
    from local.cli.api.events import EventsClient
    from local.cli.api.grpc import scan_channel

    with scan_channel(variables(invocation.var, os.environ)) as channel:
        client = EventsClient(channel, invocation.locale)
        if follow:
            for event in client.follow(job_id):
                if invocation.as_json:
                    terminal.print_json(event)
                else:
                    print(*filter(None, _row(event)), sep="  ", flush=True)
            return
        found = list(client.about(job_id))
    if invocation.as_json:
        terminal.print_json(ListEventsResponse(events=found))
    elif found:
        tables.show(_COLUMNS, map(_row, found))
    else:
        print("No event of it is kept.")


def _row(event: Event) -> tuple[str, ...]:
    change = event.data
    return (
        event.time.ToDatetime().isoformat(" ", "milliseconds"),
        event.kind,
        event.type,
        change.stage,
        str(change.attempt) if change.HasField("attempt") else "",
        str(change.worker_id) if change.HasField("worker_id") else "",
        change.reason,
        change.next_time.ToDatetime().isoformat(" ", "seconds") if change.HasField("next_time") else "",
    )
