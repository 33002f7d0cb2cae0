"""What a person reads after a run."""

from collections import Counter
from collections.abc import Sequence

from tests.chaos.mesh.clients.histories import excerpt
from tests.chaos.mesh.judge.invariants import Finding
from tests.chaos.mesh.judge.observations import Observations
from tests.support.scan.journal import Event

_SHOWN = 5
_LINES = 60


def report(seen: Observations, findings: Sequence[Finding]) -> str:
    """What happened, the invariants, what couldn't be judged, and for each broken one a client's history."""
    return "\n".join([*_story(seen), "", *_table(findings), *_skipped(seen, findings), *_broken(seen, findings)])


def _story(seen: Observations) -> list[str]:
    ends = ", ".join(f"{count} {state}" for state, count in sorted(Counter(seen.states.values()).items()))
    did = Counter(f"{end.kind} {end.state}" for end in seen.jobs.ends.values())
    jobs = ", ".join(f"{count} {what}" for what, count in sorted(did.items()))
    readings = sum(1 for history in seen.histories for _ in history.readings)
    outcomes = Counter(one.status for history in seen.histories for one in history.outcomes)
    answers = ", ".join(f"{count} {status}" for status, count in sorted(outcomes.items()))
    calls = Counter(entry.event for entry in seen.calls)
    webhooks = "" if seen.deliveries is None else f"; {len(seen.deliveries)} webhooks received"
    hits = [f"  {count:>4}  {target} {kind}" for (target, kind), count in
            Counter((hit.target, hit.kind) for hit in seen.hits).most_common()]  # fmt: skip
    return [
        f"{sum(len(history.scan_ids) for history in seen.histories)} scans accepted: {ends}",
        f"{len(seen.jobs.ends)} jobs: {jobs}",
        f"{readings} states read; calls: {answers}",
        f"{calls[Event.STARTED]} calls to the model, {calls[Event.PAID]} of them answered well{webhooks}",
        f"{len(seen.hits)} blows:",
        *hits,
    ]


def _table(findings: Sequence[Finding]) -> list[str]:
    width = max(len(finding.name) for finding in findings)
    return [f"{one.name:<{width}}  {len(one.offences):>5}  {_verdict(one)}" for one in findings]


def _verdict(finding: Finding) -> str:
    if finding.skipped:
        return "NOT JUDGED"
    return "ok" if finding.holds else "VIOLATED"


def _skipped(seen: Observations, findings: Sequence[Finding]) -> list[str]:
    what = [*seen.skipped.items(), *((one.name, one.skipped) for one in findings if one.skipped)]
    return ["", *(f"SKIPPED: {name}: {why}" for name, why in what)] if what else []


def _broken(seen: Observations, findings: Sequence[Finding]) -> list[str]:
    lines: list[str] = []
    for finding in findings:
        if finding.holds:
            continue
        lines += ["", f"{finding.name}:"]
        lines += [f"  {one.client} {one.scan_id}: {one.text}" for one in finding.offences[:_SHOWN]]
        if len(finding.offences) > _SHOWN:
            lines.append(f"  … and {len(finding.offences) - _SHOWN} more")
        first = finding.offences[0]
        lines += [f"  history of {first.client}, seconds from the start:", *_history(seen, first.client, first.scan_id)]
    return lines


def _history(seen: Observations, client: str, scan_id: str) -> list[str]:
    """What that client was told of that scan, and what hit the mesh meanwhile stands in the list of blows."""
    for history in seen.histories:
        if history.client == client:
            return [f"    {line}" for line in excerpt(history, scan_id, seen.origin)[-_LINES:]]
    return ["    nobody's"]
