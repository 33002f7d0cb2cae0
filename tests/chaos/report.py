"""What a person reads after a chaos run."""

from collections import Counter
from collections.abc import Sequence

from tests.chaos.invariants import Verdict
from tests.chaos.journal import Event
from tests.chaos.observations import Evidence

_SHOWN = 5


def report(evidence: Evidence, verdicts: Sequence[Verdict]) -> str:
    """What happened, then the invariants, then what breaks them."""
    return "\n".join([*_story(evidence), "", *_table(verdicts), *_offenders(verdicts)])


def _story(evidence: Evidence) -> list[str]:
    ends = ", ".join(f"{count} {state}" for state, count in sorted(Counter(evidence.states.values()).items()))
    events = Counter(entry.event for entry in evidence.entries)
    hits = [f"  {count:>4}  {blow}" for blow, count in Counter(hit.blow for hit in evidence.hits).most_common()]
    return [
        f"{len(evidence.submitted)} scans: {ends}; {len(evidence.archived)} archived",
        f"{events[Event.STARTED]} stages started, {events[Event.PAID]} paid, {len(evidence.commits)} committed",
        f"{len(evidence.hits)} blows:",
        *hits,
    ]


def _table(verdicts: Sequence[Verdict]) -> list[str]:
    width = max(len(verdict.name) for verdict in verdicts)
    return [
        f"{verdict.name:<{width}}  {verdict.measured:>7}  {'ok' if verdict.holds else 'VIOLATED'}"
        for verdict in verdicts
    ]


def _offenders(verdicts: Sequence[Verdict]) -> list[str]:
    lines = []
    for verdict in verdicts:
        if not verdict.holds:
            lines += ["", f"{verdict.name}:", *(f"  {offender}" for offender in verdict.offenders[:_SHOWN])]
            if len(verdict.offenders) > _SHOWN:
                lines.append(f"  … and {len(verdict.offenders) - _SHOWN} more")
    return lines
