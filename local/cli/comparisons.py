"""Commands for operators: past scans once more, by another classifier or rule book."""

import csv
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from eco2.jobs.v1 import comparison_pb2
from eco2.jobs.v1 import comparison_service_pb2 as pb
from eco2.jobs.v1.job_pb2 import Job
from local.cli.commands import Group, command
from local.cli.display import tables, terminal
from local.cli.display.tables import Column
from local.cli.operations import Age
from local.cli.options import Invocation, common
from local.cli.session import variables

if TYPE_CHECKING:
    from local.cli.api.comparisons import ComparisonsClient

_MICRO = 1_000_000
_POLL_SECONDS = 2.0
_ENDED = (Job.STATE_SUCCEEDED, Job.STATE_FAILED, Job.STATE_CANCELLED)
_COLUMNS = (
    "scan_id", "outcome", "reason", "before", "after", "truth", "denied", "differs", "before_confidence",
    "after_confidence", "before_rules", "after_rules", "before_container", "after_container", "before_micro_usd",
    "after_micro_usd", "before_ms", "after_ms",
)  # fmt: skip


@contextmanager
def _comparisons(invocation: Invocation) -> Iterator["ComparisonsClient"]:
    # Not at the top: gRPC is needed for the call alone.
    from local.cli.api.comparisons import ComparisonsClient
    from local.cli.api.grpc import scan_channel

    with scan_channel(variables(invocation.var, os.environ)) as channel:
        yield ComparisonsClient(channel, invocation.locale)


@click.group("compare", cls=Group, no_args_is_help=True)
def compare() -> None:
    """Past scans once more, by another classifier or rule book."""


@command("choices", "eco2 compare choices")
@common
def choices(invocation: Invocation) -> None:
    """List the classifiers and rule books that can be compared."""
    with _comparisons(invocation) as comparisons:
        found = comparisons.choices()
    if invocation.as_json:
        terminal.print_json(found)
        return
    rows = [("classifier", name, "") for name in found.classifiers]
    tables.show(
        tables.columns("what", "name", "version"),
        [*rows, *(("rule book", name, version) for name, version in sorted(found.rulebooks.items()))],
    )


@command(
    "create", "eco2 compare create --classifier gpt-5-mini --scans 500 --max-cost 2",
    "eco2 compare create --rulebook candidate --since 7d",
)  # fmt: skip
@click.option("--classifier", default="", help="Who looks at the photos; without one what was seen stays.")
@click.option("--rulebook", default="", help="Which rule book answers: `candidate`, or a version.")
@click.option("--since", type=Age(), default=30 * 86_400, metavar="AGE", help="Only scans not older than this.  [30d]")
@click.option("--scans", "count", type=click.IntRange(1, 10_000), default=200, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, help="Which ones chance draws.")
@click.option("--judged", is_flag=True, help="Only scans whose users have said whether they are right.")
@click.option(
    "--max-cost",
    type=click.FloatRange(0.000001, 1000),
    default=1.0,
    show_default=True,
    help="US dollars that models may cost.",
)
@click.option("--wait", is_flag=True, help="Wait for its end, then show it.")
@common
def create(
    invocation: Invocation, since: int, count: int, max_cost: float, *, wait: bool, judged: bool, **what: Any
) -> None:
    """Begin a comparison, and print its id."""
    fields = {
        **what, "scan_count": count, "corrected_only": judged, "max_cost_micro_usd": round(max_cost * _MICRO),
        "from_time": {"seconds": int(time.time()) - since},
    }  # fmt: skip
    with _comparisons(invocation) as comparisons:
        job = comparisons.create(**fields)
        if wait:
            _show(_ended(comparisons, job.job_id), as_json=invocation.as_json)
        elif invocation.as_json:
            terminal.print_json(job)
        else:
            print(job.job_id)


@command("show", "eco2 compare show COMPARISON_ID", "eco2 compare show COMPARISON_ID --json | jq .report.accuracy")
@click.argument("comparison_id")
@common
def show(invocation: Invocation, comparison_id: str) -> None:
    """Show what a comparison has found so far."""
    with _comparisons(invocation) as comparisons:
        _show(comparisons.get(comparison_id), as_json=invocation.as_json)


@command("list", "eco2 compare list")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many.")
@common
def list_comparisons(invocation: Invocation, limit: int) -> None:
    """List comparisons, newest first."""
    with _comparisons(invocation) as comparisons:
        found = comparisons.page(limit)
    if invocation.as_json:
        terminal.print_json(found)
        return
    names = tables.columns("classifier", "rule book", "state", "scans", "cost")
    tables.show([Column("comparison", whole=True), *names], map(_row, found.comparisons))


@command("scans", "eco2 compare scans COMPARISON_ID --differing", "eco2 compare scans COMPARISON_ID --csv > scans.csv")
@click.argument("comparison_id")
@click.option("--differing", is_flag=True, help="Only those that differ.")
@click.option("--csv", "as_csv", is_flag=True, help="All columns, as CSV.")
@common
def scans(invocation: Invocation, comparison_id: str, *, differing: bool, as_csv: bool) -> None:
    """List the scans of a comparison, with how they came out both ways."""
    with _comparisons(invocation) as comparisons:
        found = comparisons.scans(comparison_id, differing=differing)
        if invocation.as_json:
            for one in found:
                terminal.print_json(one)
        elif as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(_COLUMNS)
            writer.writerows(map(_cells, found))
        else:
            names = tables.columns("before", "after", "users say", "differs in")
            tables.show([Column("scan", whole=True), *names], (_scan(one) for one in found))


@command("cancel", "eco2 compare cancel COMPARISON_ID")
@click.argument("comparison_id")
@common
def cancel(invocation: Invocation, comparison_id: str) -> None:
    """Stop a comparison; what it has found stays."""
    with _comparisons(invocation) as comparisons:
        job = comparisons.cancel(comparison_id)
    if invocation.as_json:
        terminal.print_json(job)
    else:
        print("Cancelled.")


@command("delete", "eco2 compare delete COMPARISON_ID")
@click.argument("comparison_id")
@common
def delete(invocation: Invocation, comparison_id: str) -> None:
    """Remove a comparison with what it has found."""
    with _comparisons(invocation) as comparisons:
        comparisons.delete(comparison_id)
    if invocation.as_json:
        terminal.print_json({"comparison_id": comparison_id, "deleted": True})
    else:
        print("Deleted.")


for _command in (choices, create, show, list_comparisons, scans, cancel, delete):
    compare.add_command(_command)


def _ended(comparisons: "ComparisonsClient", comparison_id: str) -> pb.GetComparisonResponse:
    while (found := comparisons.get(comparison_id)).comparison.state not in _ENDED:
        time.sleep(_POLL_SECONDS)
    return found


def _show(found: pb.GetComparisonResponse, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(found)
        return
    report = found.report
    tables.show(tables.columns("figure", "before", "after"), [*_head(found), *_figures(report)])
    if report.confusions:
        print()
        counted = [Column("scans", number=True)]
        rows = [(one.before, one.after, str(one.count)) for one in report.confusions]
        tables.show([*tables.columns("taken for", "now for"), *counted], rows)


def _head(found: pb.GetComparisonResponse) -> list[tuple[str, str, str]]:
    job = found.comparison
    state = Job.State.Name(job.state).removeprefix("STATE_")
    if job.HasField("comparison_result"):
        ending = comparison_pb2.ComparisonResult.Ending.Name(job.comparison_result.ending).removeprefix("ENDING_")
        state += "" if ending == "COMPLETE" else f" ({ending})"
    if found.HasField("wait_until_time"):
        state += f", waits until {found.wait_until_time.ToDatetime().isoformat(' ', 'minutes')}"
    troubles = [f"{reason} {count}" for reason, count in {**found.report.skipped, **found.report.failed}.items()]
    return [
        ("comparison", job.job_id, state),
        ("scans", f"{job.done} of {job.total}", ", ".join(troubles)),
        ("compared", str(found.report.compared), f"{_usd(job.cost_micro_usd)} in all"),
    ]


def _figures(report: comparison_pb2.ComparisonReport) -> list[tuple[str, str, str]]:
    whole = report.compared or 1
    agree = [
        (f"same {name}", f"{count}", f"{count / whole:.1%}")
        for name, count in (
            ("major", report.same_major), ("middle", report.same_middle), ("category", report.same_category),
        )
    ]  # fmt: skip
    differs = [
        (f"other {name}", "", f"{count} ({count / whole:.1%})") for name, count in sorted(report.differs.items())
    ]
    rows = [*agree, *differs]
    if report.HasField("confidence_before"):
        rows.append(("confidence", f"{report.confidence_before:.3f}", f"{report.confidence_after:.3f}"))
    if report.HasField("accuracy"):
        right = report.accuracy
        rows.append((f"right, of {right.known} judged", _share(right.before), _share(right.after)))
        rows.append((f"right alone (p {right.p_value:.4f})", str(right.only_before), str(right.only_after)))
    if report.denied:
        rows.append(("denied by users", str(report.denied), f"{report.denied_changed} now something else"))
    rows.append(("cost of a look", _cost(report.before), _cost(report.after)))
    rows.append(("took, p50 / p95", _took(report.before), _took(report.after)))
    return rows


def _share(share: comparison_pb2.ComparisonShare) -> str:
    return f"{share.share:.1%} ({share.low:.1%} to {share.high:.1%})"


def _cost(cost: comparison_pb2.ComparisonCost) -> str:
    return f"{_usd(cost.mean_cost_micro_usd)}, {cost.paid} paid" if cost.paid else "–"


def _took(cost: comparison_pb2.ComparisonCost) -> str:
    return f"{cost.p50_ms:.0f} / {cost.p95_ms:.0f} ms" if cost.timed else "–"


def _usd(micro_usd: float) -> str:
    return f"${micro_usd / _MICRO:.6f}"


def _row(job: Job) -> tuple[str, ...]:
    spec, state = job.comparison, Job.State.Name(job.state).removeprefix("STATE_")
    counts = f"{job.done} of {job.total}"
    return job.job_id, spec.classifier or "–", spec.rulebook or "–", state, counts, _usd(job.cost_micro_usd)


def _scan(one: comparison_pb2.ScanComparison) -> tuple[str, ...]:
    said = one.truth or ("not that" if one.denied else "–")
    if one.outcome != one.OUTCOME_COMPARED:
        return one.scan_id, one.reason, "–", said, "–"
    return one.scan_id, one.before.category, one.after.category, said, ", ".join(one.differs) or "–"


def _cells(one: comparison_pb2.ScanComparison) -> tuple[object, ...]:
    before, after = one.before, one.after
    outcome = comparison_pb2.ScanComparison.Outcome.Name(one.outcome).removeprefix("OUTCOME_")

    def given(side: comparison_pb2.ComparisonSide, name: Any) -> object:
        return getattr(side, name) if side.HasField(name) else ""

    columns = (
        lambda side: given(side, "confidence"),
        lambda side: " ".join(side.rule_ids),
        lambda side: side.container,
        lambda side: given(side, "cost_micro_usd"),
        lambda side: given(side, "duration_ms"),
    )
    both = [read(side) for read in columns for side in (before, after)]
    return (
        one.scan_id, outcome, one.reason, before.category, after.category, one.truth, one.denied,
        " ".join(one.differs), *both,
    )  # fmt: skip
