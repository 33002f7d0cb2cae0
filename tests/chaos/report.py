"""What a person reads after a chaos run."""

from collections import Counter
from collections.abc import Sequence

from tests.chaos.invariants import Verdict
from tests.chaos.observations import Observations
from tests.support.scan.journal import Event

_SHOWN = 5


def report(observations: Observations, verdicts: Sequence[Verdict]) -> str:
    """What happened, then the invariants, then what breaks them."""
    return "\n".join([*_story(observations), "", *_table(verdicts), *_offenders(verdicts)])


def _story(observations: Observations) -> list[str]:
    ends = ", ".join(f"{count} {state}" for state, count in sorted(Counter(observations.states.values()).items()))
    events = Counter(entry.event for entry in observations.entries)
    hits = [f"  {count:>4}  {blow}" for blow, count in Counter(hit.blow for hit in observations.hits).most_common()]
    return [
        f"{len(observations.submitted)} scans: {ends}; {len(observations.archived)} archived",
        f"{events[Event.STARTED]} stages started, {events[Event.PAID]} paid, {len(observations.commits)} committed",
        f"{len(observations.hits)} blows:",
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
