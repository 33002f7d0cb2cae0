"""The API as above, with jobs: a batch waits for its file, an export is queued at once; each goes through a story."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.clients.python.fake_api import STORAGE, Connection, FakeApi, lost, status

STORY = [
    {"state": "STATE_QUEUED", "message": "대기 중"},
    {"state": "STATE_RUNNING", "percent": 40, "done": 2, "total": 5, "unit": "rows", "step": "rows"},
    {"percent": 80, "done": 4},
    {"state": "STATE_SUCCEEDED", "percent": 100, "done": 5, "batch_result": {"rows": 5, "succeeded": 5}},
]


@dataclass
class FakeJobsApi(FakeApi):
    """Behaves by the contract of JobsService, and counts.

    Attributes:
        job_story: What a job becomes, version after version: each is merged into the one before.
        file: What a job that has succeeded has made; None: nothing.
    """

    job_story: list[dict[str, Any]] = field(default_factory=lambda: list(STORY))
    file: bytes | None = b"a sheet"
    jobs: dict[str, str] = field(default_factory=dict)

    def _step(self, request: httpx2.Request) -> str:
        path = request.url.path
        if request.url.host == "storage.test":
            return "upload" if request.method == "PUT" else "fetch"
        if not path.startswith("/v1/jobs"):
            return super()._step(request)
        if path == "/v1/jobs":
            return "create_job" if request.method == "POST" else "page_jobs"
        if request.method == "DELETE":
            return "delete"
        return f"{path.rpartition(':')[2] if ':' in path else 'get'}_job"

    def _create_job(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        job_id = self.jobs.setdefault(body["request_id"], f"job-{len(self.jobs)}")
        reply: dict[str, Any] = {"job": self._job(job_id, 0 if "upload" in body else 1)}
        if "upload" in body and job_id not in self.started:
            url = f"{STORAGE}/{job_id}?signature={len(self.requests)}"
            headers = {"if-none-match": "*", "content-length": str(body["upload"]["size_bytes"])}
            reply["upload"] = {"url": url, "method": "PUT", "headers": headers}
        return httpx2.Response(200, json=reply)

    def _start_job(self, request: httpx2.Request) -> httpx2.Response:
        job_id = request.url.path.rpartition("/")[2].removesuffix(":start")
        if job_id not in self.photos:
            return status(400, 9, "UPLOAD_MISSING", job_id=job_id)
        self.started.add(job_id)
        return httpx2.Response(200, json=self._job(job_id, 1))

    def _get_job(self, request: httpx2.Request) -> httpx2.Response:
        job = self._job(request.url.path.rpartition("/")[2], len(self.job_story))
        if self.file is not None:
            job["download_url"] = f"{STORAGE}/file?signature={len(self.requests)}"
        return httpx2.Response(200, json=job)

    def _cancel_job(self, request: httpx2.Request) -> httpx2.Response:
        job_id = request.url.path.rpartition("/")[2].removesuffix(":cancel")
        return httpx2.Response(200, json=self._job(job_id, 2) | {"state": "STATE_CANCELLED"})

    def _page_jobs(self, request: httpx2.Request) -> httpx2.Response:
        number, kind = int(request.url.params.get("page_token", "0")), request.url.params.get("kind", "KIND_BATCH")
        jobs = [{"job_id": f"job-{number}-{each}", "kind": kind} for each in range(2)]
        return httpx2.Response(200, json={"jobs": jobs, "next_page_token": str(number + 1) if number < 2 else ""})

    def _watch_job(self, request: httpx2.Request) -> httpx2.Response:
        """What is newer than the last event, and the terminal one again."""
        job_id = request.url.path.rpartition("/")[2].removesuffix(":watch")
        seen, last = int(request.headers.get("last-event-id", "0")), len(self.job_story)
        pieces: list[bytes | Exception] = [b"retry: 1000\n\n"]
        for version, kind in [*((each, "UPDATE") for each in range(seen + 1, last + 1)), (last, "TERMINAL")]:
            data = json.dumps({"type": f"TYPE_{kind}", "job": self._job(job_id, version)}, ensure_ascii=False)
            pieces.append(f": heartbeat\n\nid: {version}\nevent: {kind.lower()}\ndata: {data}\n\n".encode())
        if self.cuts:
            pieces = [*pieces[: 1 + self.cuts.popleft()], lost()]
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Connection(pieces))

    def _fetch(self, request: httpx2.Request) -> httpx2.Response:
        assert "authorization" not in request.headers
        if self.cuts:
            pieces = [(self.file or b"")[: self.cuts.popleft()], lost()]
            return httpx2.Response(200, stream=Connection(pieces))
        return httpx2.Response(200, content=self.file)

    def _job(self, job_id: str, version: int) -> dict[str, Any]:
        job: dict[str, Any] = {
            "job_id": job_id, "kind": "KIND_BATCH", "state": "STATE_AWAITING_UPLOAD", "version": version,
            "locale": "ko",
        }  # fmt: skip
        for change in self.job_story[:version]:
            job |= change
        return job
