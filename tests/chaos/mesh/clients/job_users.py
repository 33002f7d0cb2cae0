"""Users who have long work done beside their scans: sheets, zips, clips, exports; and fetch what comes of it."""

import asyncio
import contextlib
import hashlib
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from tests.chaos.mesh.clients import job_files
from tests.chaos.mesh.clients.histories import AskedJob, History, JobKind, Reading
from tests.chaos.mesh.clients.transport import Cut, Json, Refused, Transport
from tests.chaos.mesh.clients.users import Client

_ROWS, _PHOTOS_IN_SHEET = 40, 28
_PHOTOS_IN_ZIP, _SCENES = 6, 3
_PER_MINUTE = 600
_LONGEST_PAUSE = 2.0
_TYPES = {JobKind.SHEET: "text/csv", JobKind.PACKED: "application/zip", JobKind.CLIP: "video/mp4"}
# The file of a kind that is spoilt now and then.
_SPOILT = 0.1

T = TypeVar("T")


class Hopeless(Exception):
    """A job is refused for good."""


@dataclass(frozen=True, slots=True)
class Photos:
    """Photos for jobs.

    Attributes:
        taken: Counts those that have been handed out.
        site: Where they can be loaded; "" if nowhere.
    """

    taken: Iterator[int]
    site: str

    def take(self, count: int) -> list[int]:
        """Numbers that nobody else gets."""
        return [job_files.number(next(self.taken)) for _ in range(count)]

    @classmethod
    def at(cls, site: str) -> "Photos":
        """All photos, at a site."""
        return cls(itertools.count(), site)


class JobUser:
    """One user: a job, a scan, the next job, and so on.

    Args:
        kinds: The jobs it asks for, again and again.
        chance: What the user does follows from it.
        transport: Its calls.
        history: Its history.
        client: The same user, scanning.
        photos: What it sends.
    """

    def __init__(
        self, kinds: tuple[JobKind, ...], chance: random.Random, transport: Transport, history: History,
        client: Client, photos: Photos,
    ) -> None:  # fmt: skip
        self._kinds = kinds
        self._chance = chance
        self._transport = transport
        self._history = history
        self._client = client
        self._photos = photos

    async def work_on(self, stop: asyncio.Event) -> None:
        """Has all of its kinds done at least once; the last job is followed to its end, and its file fetched."""
        for count, kind in enumerate(itertools.cycle(self._kinds)):
            if stop.is_set() and count >= len(self._kinds):
                break
            if not stop.is_set():
                await self._client.scan_one(count)
            with contextlib.suppress(Hopeless):
                await self._job(kind, f"{kind}-{count}")
        await self._client.look_back()

    async def _job(self, kind: JobKind, request_id: str) -> None:
        if kind is JobKind.ARCHIVE:
            job_id = await self._ask_archive()
        elif kind is JobKind.TABLE:
            job_id = await self._create({"export": {"thumbnails": True}}, self._asked(kind, request_id))
        else:
            job_id = await self._send(*self._file(kind, request_id))
        last = await self._follow(job_id)
        if last.state == "STATE_SUCCEEDED" and kind is not JobKind.CLIP:
            self._history.files[job_id] = await self._fetch(job_id)

    def _asked(self, kind: JobKind, request_id: str) -> AskedJob:
        """A job about the history as it is now: whoever deletes a scan takes it out again."""
        return AskedJob(kind=kind, request_id=request_id, least=len(self._history.scan_ids - self._history.deleting))

    def _file(self, kind: JobKind, request_id: str) -> tuple[AskedJob, bytes]:
        """What to upload."""
        shown: list[int | None]
        if kind is JobKind.SHEET and self._photos.site:
            shown, content = job_files.sheet(
                self._photos.take(_PHOTOS_IN_SHEET), _ROWS, self._photos.site, self._chance
            )
            return AskedJob(kind=kind, request_id=request_id, shown=shown, sent=content), content
        # In the order of names, which is that of a zip's results.
        taken = sorted(self._photos.take(_SCENES if kind is JobKind.CLIP else _PHOTOS_IN_ZIP))
        if kind is JobKind.CLIP:
            return AskedJob(kind=kind, request_id=request_id, shown=taken), job_files.clip(taken)
        spoilt = self._chance.random() < _SPOILT
        content = job_files.packed(taken)
        asked = AskedJob(kind=JobKind.PACKED, request_id=request_id, shown=taken, spoilt=spoilt)
        return asked, content[: len(content) // 2] if spoilt else content

    async def _ask_archive(self) -> str:
        asked = self._asked(JobKind.ARCHIVE, "")
        _, made = await self._persist(lambda: self._transport.request("archive", "POST", "/v1/me:export", {}))
        job_id: str = made["export_id"]
        self._history.jobs.setdefault(job_id, asked)
        return job_id

    async def _send(self, asked: AskedJob, content: bytes) -> str:
        """Creates, uploads and starts, with a fresh address whenever the old one may be spent."""
        spec: Json = {"video": {}} if asked.kind is JobKind.CLIP else {"batch": {"rows_per_minute": _PER_MINUTE}}
        upload = {
            "content_type": _TYPES[asked.kind], "size_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip
        while True:
            created = await self._created({**spec, "upload": upload}, asked)
            job_id: str = created["job"]["job_id"]
            try:
                if ticket := created.get("upload"):
                    await self._transport.put(job_id, ticket["url"], ticket["headers"], content)
                call, job = await self._transport.request(
                    "start", "POST", f"/v1/jobs/{job_id}:start", {}, scan_id=job_id
                )
            except Cut:
                await asyncio.sleep(0.3)
            except Refused as refusal:
                if not refusal.passing and refusal.reason != "UPLOAD_MISSING":
                    raise Hopeless from refusal
                await self._pause(refusal)
            else:
                call.read(job)
                return job_id

    async def _create(self, spec: Json, asked: AskedJob) -> str:
        job_id: str = (await self._created(spec, asked))["job"]["job_id"]
        return job_id

    async def _created(self, spec: Json, asked: AskedJob) -> Json:
        request = {**spec, "request_id": asked.request_id, "locale": "en"}
        call, created = await self._persist(lambda: self._transport.request("create", "POST", "/v1/jobs", request))
        self._history.jobs.setdefault(call.read(created["job"]).scan_id, asked)
        return created

    async def _follow(self, job_id: str) -> Reading:
        """Reads until the job has ended, by polling and by watching in turn."""
        last: Reading | None = None
        while last is None or not last.terminal:
            try:
                if self._chance.random() < 0.5:
                    last = (await self._get(job_id))[0]
                    await asyncio.sleep(self._chance.uniform(0.05, 0.3))
                else:
                    last = await self._watch(job_id, last)
            except Cut:
                await asyncio.sleep(self._chance.uniform(0.05, 0.3))
            except Refused as refusal:
                if not refusal.passing:
                    raise Hopeless from refusal
                await self._pause(refusal)
        return last

    async def _watch(self, job_id: str, last: Reading | None) -> Reading | None:
        async with self._transport.stream(job_id, last.version if last else 0, of="job") as events:
            async for kind, reading in events:
                last = reading or last
                if kind == "UPDATE" and self._chance.random() < 0.1:
                    break
        return last

    async def _get(self, job_id: str) -> tuple[Reading, Json]:
        call, job = await self._transport.request("get", "GET", f"/v1/jobs/{job_id}", scan_id=job_id)
        return call.read(job), job

    async def _fetch(self, job_id: str) -> bytes:
        """The job's file, from a fresh address whenever one doesn't work."""
        while True:
            _, job = await self._persist(lambda: self._get(job_id))
            with contextlib.suppress(Cut):
                return await self._transport.fetch(job_id, job["download_url"])
            await asyncio.sleep(0.3)

    async def _persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except Cut:
                await asyncio.sleep(self._chance.uniform(0.1, 0.4))
            except Refused as refusal:
                if not refusal.passing:
                    raise Hopeless from refusal
                await self._pause(refusal)

    async def _pause(self, refusal: Refused) -> None:
        wish = 0.5 if refusal.retry_after is None else refusal.retry_after
        await asyncio.sleep(min(wish, _LONGEST_PAUSE) * self._chance.uniform(0.8, 1.2))
