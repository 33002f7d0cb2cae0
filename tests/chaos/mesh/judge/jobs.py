"""Whether jobs were done: none lost, each row once, files whole, nothing left over, and no progress taken back."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from tests.chaos.mesh.clients.histories import AskedJob, History, JobKind
from tests.chaos.mesh.judge import job_files
from tests.chaos.mesh.judge.observations import Observations
from tests.chaos.mesh.judge.offences import Offence

_ENDED = frozenset({"SUCCEEDED", "FAILED"})
# What a file that can't be read may be refused with: no other try would do better.
_UNREADABLE = "SHEET_"


def unended(seen: Observations) -> Iterator[Offence]:
    """Accepted, but gone; made twice by one request; or without an end although everything is quiet."""
    for history, job_id, _ in _jobs(seen):
        end = seen.jobs.ends.get(job_id)
        if end is None or end.state not in _ENDED:
            yield Offence(end.state if end else "gone", history.client, job_id)
    for history in seen.histories:
        made = Counter(asked.request_id for asked in history.jobs.values() if asked.request_id)
        for request_id, times in made.items():
            if times > 1:
                yield Offence(f"{request_id} made {times} jobs", history.client)


def failed(seen: Observations) -> Iterator[Offence]:
    """What can be done gets done: jobs whose file is good, rows whose photo is. What can't be says why, for good."""
    for history, job_id, asked in _jobs(seen):
        end = seen.jobs.ends.get(job_id)
        if end is None or end.state not in _ENDED:
            continue
        if asked.spoilt and not (end.state == "FAILED" and end.reason.startswith(_UNREADABLE)):
            yield Offence(f"its file can't be read, and it is {end.state} {end.reason}", history.client, job_id)
        elif not asked.spoilt and end.state == "FAILED" and not seen.too_slow(end.at):
            yield Offence(end.reason, history.client, job_id)
        yield from _failed_rows(seen, history, job_id)


def _failed_rows(seen: Observations, history: History, job_id: str) -> Iterator[Offence]:
    ends = {one.scan_id: one.at for one in seen.endings if one.state == "FAILED"}
    for row in seen.jobs.rows.get(job_id, ()):
        if row.state == "FAILED" and not seen.too_slow(ends.get(row.scan_id, 0.0)):
            yield Offence(f"row {row.number}: {seen.errors.get(row.scan_id, '')[:200]}", history.client, job_id)


def miscounted_rows(seen: Observations) -> Iterator[Offence]:
    """Each photo of a batch that has succeeded is scanned once, by the first row that has it; each scan has ended."""
    for history, job_id, asked in _succeeded(seen):
        if asked.kind not in (JobKind.SHEET, JobKind.PACKED):
            continue
        scans = Counter(row.number for row in seen.jobs.rows.get(job_id, ()))
        for number in sorted(set(_firsts(asked).values()) | scans.keys()):
            if scans[number] != (wanted := int(number in _firsts(asked).values())):
                yield Offence(f"row {number} has {scans[number]} scans, not {wanted}", history.client, job_id)
        for row in seen.jobs.rows.get(job_id, ()):
            if row.state not in _ENDED:
                yield Offence(f"row {row.number} is {row.state}", history.client, job_id)


def broken_files(seen: Observations) -> Iterator[Offence]:
    """A job has succeeded, and what it has made is missing, cut, or not what was asked for."""
    for history, job_id, asked in _succeeded(seen):
        if asked.kind is JobKind.CLIP:
            if seen.jobs.ends[job_id].scan_id not in seen.states:
                yield Offence("the clip has no scan", history.client, job_id)
        elif (content := history.files.get(job_id)) is None:
            yield Offence("couldn't be fetched", history.client, job_id)
        elif text := job_files.fault(asked, content, _done(seen, job_id, asked), seen.jobs.ends[job_id].scans):
            yield Offence(text, history.client, job_id)


def left_behind(seen: Observations) -> Iterator[Offence]:
    """A job has succeeded, and beside its file there are others: its upload, or what a killed or late worker made."""
    for history, job_id, _ in _succeeded(seen):
        for key in seen.jobs.keys.get(job_id, ()):
            if key != seen.jobs.ends[job_id].file_key:
                yield Offence(key, history.client, job_id)


def percent_back(history: History) -> Iterator[Offence]:
    """A job's percentage never falls, whoever works on it; its versions are judged with scans'."""
    readings = defaultdict(list)
    for reading in history.readings:
        if reading.scan_id in history.jobs:
            readings[reading.scan_id].append(reading)
    for job_id, read in readings.items():
        for index, reading in enumerate(read):
            before = [one for one in read[:index] if one.at <= reading.began or one.call == reading.call]
            furthest = max(before, key=lambda one: one.percent, default=reading)
            if furthest.percent > reading.percent and reading.state != "STATE_FAILED":
                yield Offence(
                    f"{furthest.percent} % by #{furthest.call}, then {reading.percent} % by #{reading.call}",
                    history.client, job_id,
                )  # fmt: skip


def _jobs(seen: Observations) -> Iterator[tuple[History, str, AskedJob]]:
    return ((history, job_id, asked) for history in seen.histories for job_id, asked in history.jobs.items())


def _succeeded(seen: Observations) -> Iterator[tuple[History, str, AskedJob]]:
    """Those that have, among them none whose file couldn't be read: that one is judged elsewhere."""
    for history, job_id, asked in _jobs(seen):
        end = seen.jobs.ends.get(job_id)
        if end and end.state == "SUCCEEDED" and not asked.spoilt:
            yield history, job_id, asked


def _firsts(asked: AskedJob) -> Mapping[int, int]:
    """The first row of each photo, from 1."""
    firsts: dict[int, int] = {}
    for number, photo in enumerate(asked.shown, 1):
        if photo is not None:
            firsts.setdefault(photo, number)
    return firsts


def _done(seen: Observations, job_id: str, asked: AskedJob) -> frozenset[int]:
    """Rows whose photo has a result, be it an earlier row's."""
    firsts = _firsts(asked)
    states = {row.number: row.state for row in seen.jobs.rows.get(job_id, ())}
    return frozenset(
        number
        for number, photo in enumerate(asked.shown, 1)
        if photo is not None and states.get(firsts[photo]) == "SUCCEEDED"
    )
