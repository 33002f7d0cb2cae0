"""What must be true of a mesh after any chaos, computed from what was observed.

What clients were told is judged by their histories; what was paid for, by the model's journal; what was stored, by
triggers in the database; what was announced, by the webhooks' receiver.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.mesh.clients.histories import History, Outcome, Reading
from tests.chaos.mesh.fault_injector import Hit
from tests.chaos.mesh.judge import events, jobs, photos
from tests.chaos.mesh.judge.announcements import ill_announced
from tests.chaos.mesh.judge.observations import Observations
from tests.chaos.mesh.judge.offences import Offence
from tests.chaos.mesh.plan import Kind
from tests.support.scan.journal import Entry, Event

_INTERNAL = frozenset({"500", "501", "502", "505", "INTERNAL", "UNKNOWN", "DATA_LOSS", "UNIMPLEMENTED"})
_BUSY = frozenset({"503", "429", "UNAVAILABLE", "RESOURCE_EXHAUSTED"})
# What a gRPC client says of its own: its deadline, its cancellation.
_OWN = frozenset({"DEADLINE_EXCEEDED", "CANCELLED"})
_TERMINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})

# What may take a paid result with it, by the stage that paid: who holds it in hand, or is about to get it.
_HOLDERS: Mapping[str, frozenset[str]] = {
    "vision": frozenset({"scan", "vision", "model"}),
    "answer": frozenset({"scan", "rules", "model"}),
}
_DEADLY = frozenset({Kind.KILL, Kind.RESTART, Kind.FREEZE})
_AWAY = frozenset({Kind.KILL, Kind.RESTART, Kind.FREEZE, Kind.DISK_STALLED})


# A step is heard within a second.
_CLOCK_MARGIN = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant, judged.

    Attributes:
        name: What must not be.
        offences: What breaks it.
        skipped: Why it couldn't be judged; "" if it was.
    """

    name: str
    offences: Sequence[Offence]
    skipped: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        return not self.offences


def judge(seen: Observations) -> list[Finding]:
    """Judges everything."""
    told: Sequence[tuple[str, Callable[[History], Iterator[Offence]]]] = (
        ("versions that went back", versions_back),
        ("percentages that went back within an attempt", percent_back),
        ("percentages of jobs that went back", jobs.percent_back),
        ("changes after the end that aren't the reward", changed_after_end),
        ("deleted scans that came back", undead),
        ("one request_id, two scans", doubled),
        ("internal errors", internal),
        ("refusals that don't say when to come back", hopeless),
        ("errors without a reason", unreasoned),
    )
    known: Sequence[tuple[str, Callable[[Observations], Iterator[Offence]]]] = (
        ("accepted scans lost", lost),
        ("started scans without an end", unfinished),
        ("scans failed by an outage", failed),
        ("calls to the model after its result was stored", paid_after_storing),
        ("good answers of the model thrown away", thrown_away),
        ("jobs lost, made twice or without an end", jobs.unended),
        ("jobs or rows failed by an outage", jobs.failed),
        ("rows of batches without exactly one scan", jobs.miscounted_rows),
        ("files of jobs that aren't whole", jobs.broken_files),
        ("files left beside those of ended jobs", jobs.left_behind),
        ("events lost", events.lost),
        ("events out of order", events.disordered),
    )
    return [
        *(Finding(name, [one for history in seen.histories for one in find(history)]) for name, find in told),
        *(Finding(name, list(find(seen))) for name, find in known),
        Finding("photos shown that aren't clean", list(photos.exposed(seen.photos))),
        Finding("photos kept that nobody needs", list(photos.left_behind(seen.photos, seen.states))),
        Finding("photos of answered scans lost", list(photos.lost(seen.photos, seen.states))),
        Finding(
            "webhooks missing, doubled or untrue",
            list(ill_announced(seen)),
            "" if seen.deliveries is not None else "no network namespaces here",
        ),
    ]


def versions_back(history: History) -> Iterator[Offence]:
    """An older version was read after a newer one: by a call that began later, or further down the same stream."""
    for scan_id, readings in _by_scan(history).items():
        for index, reading in enumerate(readings):
            newest = max(_before(readings[:index], reading), key=lambda one: one.version, default=reading)
            if reading.version < newest.version:
                yield Offence(f"{newest.version} by #{newest.call}, then {reading.version} by #{reading.call}",
                              history.client, scan_id)  # fmt: skip


def percent_back(history: History) -> Iterator[Offence]:
    """Within one lease of a scan whatever is read later must be as far at least, the same version included."""
    for scan_id, readings in _by_scan(history).items():
        for index, reading in enumerate(readings):
            for one in _before(readings[:index], reading):
                if one.attempt == reading.attempt and one.version <= reading.version and one.percent > reading.percent:
                    yield Offence(f"{one.percent} % by #{one.call}, then {reading.percent} % by #{reading.call}",
                                  history.client, scan_id)  # fmt: skip
                    break


def changed_after_end(history: History) -> Iterator[Offence]:
    """Once a scan has ended, only its reward may follow, or what the user's own reply makes of it."""
    replies = {one.scan_id: one.began for one in reversed(list(history.outcomes)) if one.operation == "answer"}
    for scan_id, readings in _by_scan(history).items():
        for index, reading in enumerate(readings):
            for end in _before(readings[:index], reading):
                # A failed scan may be replayed; that it failed at all is judged elsewhere.
                if not end.terminal or end.state == "STATE_FAILED" or reading.at > replies.get(scan_id, float("inf")):
                    continue
                same = (reading.version, reading.rewarded) == (end.version, end.rewarded)
                rewarded = reading.rewarded and not end.rewarded and reading.version > end.version
                if reading.state != end.state or not (same or rewarded):
                    yield Offence(f"{_told(end)} by #{end.call}, then {_told(reading)} by #{reading.call}",
                                  history.client, scan_id)  # fmt: skip
                    break


def undead(history: History) -> Iterator[Offence]:
    """A scan was shown to somebody who had been told that it was deleted."""
    for reading in history.readings:
        if reading.began > history.deleted.get(reading.scan_id, float("inf")):
            yield Offence(f"read by #{reading.call} after its deletion", history.client, reading.scan_id)


def doubled(history: History) -> Iterator[Offence]:
    """The same request made more than one scan."""
    for request_id, scan_ids in history.accepted.items():
        if len(scan_ids) > 1:
            yield Offence(f"{request_id}: {', '.join(sorted(scan_ids))}", history.client, min(scan_ids))


def internal(history: History) -> Iterator[Offence]:
    """A fault of ours was shown to a client."""
    yield from _outcomes(history, lambda one: one.status in _INTERNAL)


def hopeless(history: History) -> Iterator[Offence]:
    """Too much, or away for the moment, but for how long?"""
    yield from _outcomes(history, lambda one: one.status in _BUSY and not one.retry_after)


def unreasoned(history: History) -> Iterator[Offence]:
    """An error that no program can tell from another."""
    yield from _outcomes(history, lambda one: one.failed and not one.reason and one.status not in _OWN)


def lost(seen: Observations) -> Iterator[Offence]:
    """A client has its id, the database has no such scan, and nobody asked to delete it."""
    for history in seen.histories:
        for scan_id in history.scan_ids - history.deleting:
            if scan_id not in seen.states:
                yield Offence("gone", history.client, scan_id)


def unfinished(seen: Observations) -> Iterator[Offence]:
    """It was started, and everything is quiet, but it hasn't ended."""
    for history in seen.histories:
        for scan_id in history.started:
            state = seen.states.get(scan_id, "SUCCEEDED")
            if state not in _TERMINAL:
                yield Offence(state, history.client, scan_id)


def failed(seen: Observations) -> Iterator[Offence]:
    """Every blow was over in less time than a scan has; only a spoilt photo is the client's fault.

    A machine so slow that a service takes a minute to start again is at fault itself.
    """
    ends = {ending.scan_id: ending.at for ending in seen.endings if ending.state == "FAILED"}
    for history in seen.histories:
        for scan_id in history.scan_ids - history.spoilt:
            at = ends.get(scan_id, 0.0)
            if seen.states.get(scan_id) == "FAILED" and not seen.too_slow(at):
                yield Offence(seen.errors.get(scan_id, "")[:200], history.client, scan_id)


def paid_after_storing(seen: Observations) -> Iterator[Offence]:
    """What is stored is never computed again."""
    owners = _owners(seen)
    stored = {(commit.scan_id, commit.stage): commit.at + _doubt(commit.at, seen.hits) for commit in seen.commits}
    for (scan_id, stage), entries in _calls(seen).items():
        for entry in entries:
            if entry.event is Event.STARTED and entry.at > stored.get((scan_id, stage), float("inf")):
                late = entry.at - stored[scan_id, stage]
                yield Offence(f"{stage} asked again {late:.2f} s after it was stored", owners.get(scan_id, ""), scan_id)


def thrown_away(seen: Observations) -> Iterator[Offence]:
    """A good answer was asked for again although nothing had hit those who had it in hand."""
    owners = _owners(seen)
    for (scan_id, stage), entries in _calls(seen).items():
        for payment in entries:
            again = [one.at for one in entries if one.event is Event.STARTED and one.at > payment.at]
            if payment.event is Event.PAID and again and not _excused(payment, scan_id, min(again), stage, seen):
                yield Offence(f"{stage} paid at {payment.at:.2f}, asked again at {min(again):.2f}",
                              owners.get(scan_id, ""), scan_id)  # fmt: skip


def _excused(payment: Entry, scan_id: str, again: float, stage: str, seen: Observations) -> bool:
    """Whether a blow hit those who had it, or the job was put down meanwhile: its try was over, or its worker gone.

    A database that is away for about a lease makes workers let go.
    """
    if any(one.scan_id == scan_id and payment.began <= one.at <= payment.at for one in seen.handovers):
        return True
    for hit in seen.hits:
        if hit.until < payment.began or hit.at > again:
            continue
        if hit.kind in _DEADLY and hit.target in _HOLDERS.get(stage, frozenset()):
            return True
        long = hit.until - hit.at > seen.lease_seconds / 2 or hit.kind is Kind.KILL
        if hit.target == "postgres" and hit.kind in _AWAY and long:
            return True
    return False


def _doubt(at: float, hits: Sequence[Hit]) -> float:
    """How much later than by the database's clock something may have been stored: that clock may have been wrong."""
    steps = [hit for hit in hits if hit.kind is Kind.CLOCK and hit.target == "postgres"]
    margins = [(hit, hit.step + _CLOCK_MARGIN) for hit in steps]
    return max((margin for hit, margin in margins if hit.at - margin <= at <= hit.until + margin), default=0.0)


def _calls(seen: Observations) -> Mapping[tuple[str, str], list[Entry]]:
    """The model's journal, by scan and stage, in order; other calls, such as those for replies, apart."""
    scans = {number: scan_id for scan_id, number in seen.numbers.items()}
    calls: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in sorted(seen.calls, key=lambda entry: entry.at):
        if entry.scan_id in scans and entry.stage in _HOLDERS:
            calls[scans[entry.scan_id], entry.stage].append(entry)
    return calls


def _owners(seen: Observations) -> Mapping[str, str]:
    """Who asked for each scan; of rows and scenes nobody did so by itself."""
    return {scan_id: history.client for history in seen.histories for scan_id in history.scan_ids}


def _by_scan(history: History) -> Mapping[str, list[Reading]]:
    readings: defaultdict[str, list[Reading]] = defaultdict(list)
    for reading in history.readings:
        readings[reading.scan_id].append(reading)
    return readings


def _before(earlier: Sequence[Reading], reading: Reading) -> Iterator[Reading]:
    """Of what was read earlier, what the server had said before it could say this."""
    return (one for one in earlier if one.at <= reading.began or one.call == reading.call)


def _outcomes(history: History, wrong: Callable[[Outcome], bool]) -> Iterator[Offence]:
    for one in history.outcomes:
        if wrong(one):
            text = f"#{one.call} {one.operation}: {one.status} {one.reason} {one.body[:120]}"
            yield Offence(text, history.client, one.scan_id)


def _told(reading: Reading) -> str:
    reward = " with a reward" if reading.rewarded else ""
    return f"{reading.version} {reading.state.removeprefix('STATE_')}{reward}"
