"""What must be true after any chaos, computed from the observations.

Each function returns the offenders, in words; none means that the invariant holds.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scan_svc.pipeline.stages import FREE, REWARD
from tests.chaos.observations import FATAL, OUTAGES, Blow, Commit, Handover, Hit, Observations
from tests.support.scan.journal import Entry, Event

RESUMPTION_MARGIN = 5.0

# From and until, in seconds since the epoch.
Span = tuple[float, float]

_TERMINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})
_EVENTS = {"SUCCEEDED": "scan.succeeded", "FAILED": "scan.failed"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One invariant, judged.

    Attributes:
        name: What must hold.
        measured: What was found, for the table.
        offenders: What breaks it.
    """

    name: str
    measured: str
    offenders: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return not self.offenders


def judge(observations: Observations) -> list[Verdict]:
    """Judges everything."""
    return [*invariants(observations), promptness(observations)]


def promptness(observations: Observations) -> Verdict:
    """How soon scans went on after a blow: true of a quiet machine only, so the suite doesn't judge it."""
    slowest = max((seconds for _, _, seconds in resumptions(observations)), default=0.0)
    limit = observations.lease_seconds + RESUMPTION_MARGIN
    late = [f"{scan_id} after {hit.blow}: {seconds:.1f} s" for hit, scan_id, seconds in resumptions(observations)
            if seconds > limit]  # fmt: skip
    return Verdict(f"slowest resumption, at most {limit:g} s", f"{slowest:.1f} s", late)


def invariants(observations: Observations) -> list[Verdict]:
    """Judges what must hold however slow the machine is."""
    counted: Sequence[tuple[str, Callable[[Observations], list[str]]]] = (
        ("scans missing or unfinished", missing),
        ("scans that ended twice", ended_twice),
        ("stages started after their result was committed", restarted),
        ("payments beyond one a commit and those in flight at a blow", overpaid),
        ("rewards stored twice, or lost", wrongly_rewarded),
        ("terminal scans without exactly their webhook", wrongly_announced),
        ("webhooks not delivered", undelivered),
        ("innocents archived", innocents_archived),
        ("poison not archived", poison_at_large),
        ("events lost", events_lost),
        ("events out of order", events_disordered),
    )
    return [Verdict(name, str(len(offenders := find(observations))), offenders) for name, find in counted]


def events_lost(observations: Observations) -> list[str]:
    """Written, but not read; or not written of what was stored, or of how a scan ended."""
    told = observations.told
    unread = [f"event {number}" for number in sorted(observations.logged - {one.id for one in told})]
    stored = Counter((one.scan_id, one.stage) for one in told if one.type == "eco2.scan.stage.succeeded")
    untold = [f"{one.scan_id}: {one.stage} succeeded" for one in observations.commits
              if one.stage != REWARD and stored[one.scan_id, one.stage] != 1]  # fmt: skip
    ends = Counter((one.scan_id, one.type) for one in told)
    unended = [f"{one.scan_id}: {one.state}" for one in observations.endings
               if not ends[one.scan_id, f"eco2.scan.{one.state.lower()}"]]  # fmt: skip
    return [*unread, *untold, *unended]


def events_disordered(observations: Observations) -> list[str]:
    """Read before what happened to the scan earlier; or a life that doesn't begin and end as the scan did."""
    lives = defaultdict(list)
    for one in observations.told:
        lives[one.scan_id].append(one)
    offenders = []
    for scan_id in observations.submitted:
        life = lives[scan_id]
        types = [one.type for one in life if one.type.startswith("eco2.scan.")]
        state = observations.states.get(scan_id, "")
        # Of each job by itself: a scan's webhook and its reward are worked on at the same time.
        jobs = [[one.id for one in life if one.job == job] for job in {one.job for one in life}]
        if any(later <= earlier for ids in jobs for earlier, later in pairwise(ids)):
            offenders.append(f"{scan_id}: ids fall")
        elif not types or types[0] != "eco2.scan.accepted":
            offenders.append(f"{scan_id}: doesn't begin with its acceptance")
        elif state in _TERMINAL and types[-1] not in (f"eco2.scan.{state.lower()}", "eco2.scan.archived"):
            offenders.append(f"{scan_id}: {state}, but last told of {types[-1]}")
    return offenders


def missing(observations: Observations) -> list[str]:
    """Accepted, but not finished and not explained."""
    return [
        f"{scan_id}: {observations.states.get(scan_id, 'gone')}"
        for scan_id in observations.submitted
        if observations.states.get(scan_id) not in _TERMINAL
    ]


def ended_twice(observations: Observations) -> list[str]:
    """Succeeded more than once, or after anything but a failure that was replayed."""
    successes = Counter(ending.scan_id for ending in observations.endings if ending.state == "SUCCEEDED")
    return [scan_id for scan_id, times in successes.items() if times > 1]


def restarted(observations: Observations) -> list[str]:
    """Started although the result was there already: paid for in vain."""
    committed = {(commit.scan_id, commit.stage): commit.at for commit in observations.commits}
    return [
        f"{entry.scan_id} {entry.stage} by {entry.pid}"
        for entry in observations.entries
        if entry.event is Event.STARTED and entry.at > committed.get((entry.scan_id, entry.stage), float("inf"))
    ]


def overpaid(observations: Observations) -> list[str]:
    """Paid, not committed, and no blow hit the process while it had the result in hand."""
    commits = {(commit.scan_id, commit.stage): commit for commit in observations.commits}
    pids = _pids(observations)
    handovers = _by_scan(observations.handovers)
    payments = defaultdict(list)
    for entry in observations.entries:
        # What costs nothing may be done again; a reward is granted once however often it is evaluated.
        if entry.event is Event.PAID and entry.stage not in (*FREE, REWARD):
            payments[entry.scan_id, entry.stage].append(entry)
    return [
        f"{payment.scan_id} {payment.stage} by {payment.pid}"
        for key, paid in payments.items()
        for payment in _in_vain(paid, commits.get(key), handovers[key[0]], pids)
        if not _excused(payment, handovers[key[0]], observations)
    ]


def wrongly_rewarded(observations: Observations) -> list[str]:
    """A later version that came twice; or an answer whose reward nobody is going to evaluate."""
    times = Counter(commit.scan_id for commit in observations.commits if commit.stage == REWARD)
    return [*(scan_id for scan_id, count in times.items() if count > 1), *observations.rewardless]


def wrongly_announced(observations: Observations) -> list[str]:
    """A webhook is missing, is there twice, or tells what never happened."""
    expected: dict[str, set[str]] = {scan_id: set() for scan_id in observations.submitted}
    for ending in observations.endings:
        if ending.state in _EVENTS and observations.submitted[ending.scan_id].callback:
            expected[ending.scan_id].add(_EVENTS[ending.state])
    actual = defaultdict(list)
    for scan_id, event in observations.webhooks:
        actual[scan_id].append(event)
    return [
        f"{scan_id}: {actual[scan_id]} instead of {sorted(events)}"
        for scan_id, events in expected.items()
        if sorted(actual[scan_id]) != sorted(events)
    ]


def undelivered(observations: Observations) -> list[str]:
    """Due, and never received."""
    return list(observations.undelivered)


def innocents_archived(observations: Observations) -> list[str]:
    """Given up because a worker died that somebody else had killed."""
    return [scan_id for scan_id in observations.archived if not observations.submitted[scan_id].poison]


def poison_at_large(observations: Observations) -> list[str]:
    """Would kill workers for ever."""
    return [
        scan_id
        for scan_id, scan in observations.submitted.items()
        if scan.poison and scan_id not in observations.archived
    ]


def resumptions(observations: Observations) -> list[tuple[Hit, str, float]]:
    """How long each scan that a stricken worker held lay idle although there was a database and a worker."""
    pids, handovers = _pids(observations), _by_scan(observations.handovers)
    signs, lives = _signs_of_life(observations), _lives(observations)
    outages = [(hit.at, hit.until) for hit in observations.hits if hit.blow in OUTAGES]
    found = []
    for hit in observations.hits:
        if hit.blow not in FATAL:
            continue
        for scan_id, history in handovers.items():
            holder = _holder(history, hit.at)
            if holder is None or pids.get(holder) != hit.pid:
                continue
            resumed = min((at for at in signs[scan_id] if at > hit.at), default=float("inf"))
            ended = any(ending.scan_id == scan_id and ending.at <= hit.at for ending in observations.endings)
            if not ended:
                found.append((hit, scan_id, _hopeful(hit.at, resumed, outages, lives)))
    return found


def _in_vain(
    paid: Sequence[Entry], commit: Commit | None, handovers: Sequence[Handover], pids: dict[int, int]
) -> list[Entry]:
    """The payments of a stage without the one whose result was committed."""
    if commit is None:
        return list(paid)
    holder = next((one.worker_id for one in handovers if one.token == commit.token), None)
    fruitful = [entry for entry in paid if entry.at <= commit.at and entry.pid == pids.get(holder or 0)]
    return [entry for entry in paid if not fruitful or entry is not max(fruitful, key=lambda entry: entry.at)]


def _excused(payment: Entry, handovers: Sequence[Handover], observations: Observations) -> bool:
    """Whether something hit the process between the start of the try and the job's next change of hands."""
    taken_away = min((one.at for one in handovers if one.at > payment.at), default=float("inf"))
    for hit in observations.hits:
        struck = hit.blow in FATAL and hit.pid == payment.pid
        # A database that is away for about a lease makes workers stop: they can't know whether they still hold it.
        away = hit.blow in OUTAGES and hit.until - hit.at > observations.lease_seconds / 2
        if (struck or away) and payment.began <= hit.until and hit.at <= taken_away:
            return True
    return False


def _pids(observations: Observations) -> dict[int, int]:
    """The process behind each worker's number."""
    return {entry.worker_id: entry.pid for entry in observations.entries if entry.event is Event.REGISTERED}


def _by_scan(handovers: Iterable[Handover]) -> defaultdict[str, list[Handover]]:
    sorted_by_scan: defaultdict[str, list[Handover]] = defaultdict(list)
    for handover in sorted(handovers, key=lambda handover: handover.token):
        sorted_by_scan[handover.scan_id].append(handover)
    return sorted_by_scan


def _signs_of_life(observations: Observations) -> defaultdict[str, list[float]]:
    """When each scan was claimed, moved on, or ended."""
    signs: defaultdict[str, list[float]] = defaultdict(list)
    for handover in observations.handovers:
        if handover.state != "READY":
            signs[handover.scan_id].append(handover.at)
    for commit in observations.commits:
        signs[commit.scan_id].append(commit.at)
    for ending in observations.endings:
        signs[ending.scan_id].append(ending.at)
    return signs


def _holder(history: Sequence[Handover], at: float) -> int | None:
    """The worker that held a scan at some time."""
    before = [one for one in history if one.at <= at]
    return before[-1].worker_id if before and before[-1].state == "LEASED" else None


def _lives(observations: Observations) -> list[Span]:
    """When each worker could take a scan: from its registration until it was hit, but for the time it was frozen."""
    begins: dict[int, float] = {}
    for entry in observations.entries:
        if entry.event is Event.REGISTERED:
            begins[entry.pid] = min(entry.at, begins.get(entry.pid, entry.at))
    lives = []
    for pid, begin in begins.items():
        for hit in sorted(observations.hits, key=lambda hit: hit.at):
            if hit.pid == pid and hit.blow in FATAL:
                lives.append((begin, hit.at))
                begin = hit.until if hit.blow is Blow.FREEZE else float("inf")
        lives.append((begin, float("inf")))
    return lives


def _hopeful(start: float, end: float, outages: Sequence[Span], lives: Sequence[Span]) -> float:
    """Seconds of an interval in which there was a database, and a worker."""
    moments = sorted({start, end, *(at for span in (*outages, *lives) for at in span if start < at < end)})
    return sum(
        later - earlier
        for earlier, later in pairwise(moments)
        if not _any_covers(outages, earlier) and _any_covers(lives, earlier)
    )


def _any_covers(spans: Sequence[Span], at: float) -> bool:
    return any(begin <= at < end for begin, end in spans)
