"""Whether the log told of every scan and job what became of it, in order."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from tests.chaos.mesh.judge.observations import Observations
from tests.chaos.mesh.judge.offences import Offence
from tests.chaos.observations import Told

_BEGINNINGS = (".upload.awaited", ".accepted")
_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})


def lost(seen: Observations) -> Iterator[Offence]:
    """Written, and never read; or not written of how a scan or a job ended."""
    if seen.told is None:
        return
    if unread := sorted(seen.logged - {one.id for one in seen.told}):
        yield Offence(f"{len(unread)} events weren't read, {unread[0]} the first")
    types = {(one.scan_id, one.type) for one in seen.told}
    clients = _clients(seen)
    for subject, (kind, state) in _states(seen).items():
        if state in _ENDED and (subject, f"eco2.{kind}.{state.lower()}") not in types:
            yield Offence(f"nothing tells that the {kind} is {state}", clients.get(subject, ""), subject)


def disordered(seen: Observations) -> Iterator[Offence]:
    """Read before what had happened to the same job earlier; or a life that begins or ends otherwise than it did."""
    lives = defaultdict[str, list[Told]](list)
    for one in seen.told or ():
        lives[one.scan_id].append(one)
    clients = _clients(seen)
    for subject, (kind, state) in _states(seen).items():
        if fault := _fault(lives[subject], kind, state):
            yield Offence(fault, clients.get(subject, ""), subject)


def _fault(life: list[Told], kind: str, state: str) -> str:
    jobs = defaultdict[str, list[int]](list)
    for one in life:
        jobs[one.job].append(one.id)
    if any(later <= earlier for ids in jobs.values() for earlier, later in pairwise(ids)):
        return "ids fall"
    own = [one.type.removeprefix(f"eco2.{kind}") for one in life if one.type.startswith(f"eco2.{kind}.")]
    if own and own[0] not in _BEGINNINGS:
        return f"begins with {own[0]}"
    if own and state in _ENDED and own[-1] not in (f".{state.lower()}", ".archived"):
        return f"{state}, but last told of {own[-1]}"
    return ""


def _states(seen: Observations) -> Mapping[str, tuple[str, str]]:
    """Kind and state of every scan and job, in the end."""
    jobs = {job_id: (end.kind, end.state) for job_id, end in seen.jobs.ends.items()}
    return {scan_id: ("scan", state) for scan_id, state in seen.states.items()} | jobs


def _clients(seen: Observations) -> Mapping[str, str]:
    return {subject: history.client for history in seen.histories for subject in (*history.scan_ids, *history.jobs)}
