"""The API and its object storage as the client meets them, in this process, with faults where a test wants them."""

import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

BASE = "http://eco2.test"
STORAGE = "http://storage.test"
USUAL = [
    {"state": "STATE_QUEUED", "progress": {"percent": 5, "message": "대기 중"}},
    {"state": "STATE_RUNNING", "progress": {"percent": 20, "stage": "vision", "message": "보고 있어요"}},
    {
        "classification": {
            "category": {"major": "재활용폐기물", "middle": "종이"},
            "display_name": "종이",
            "confidence": 0.9,
        }
    },
    {"progress": {"percent": 70, "stage": "answer", "message": "쓰고 있어요"}, "answer_draft": "종이는 "},
    {"answer_draft": "종이는 펴서 "},
    {
        "state": "STATE_SUCCEEDED",
        "answer_draft": "",
        "answer": {"text": "종이는 펴서 내놓으세요.", "rule_ids": ["paper"]},
    },
]


class Connection(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that comes in pieces; a piece may be an error."""

    def __init__(self, pieces: Iterable[bytes | Exception]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        """Nothing is open."""

    async def aclose(self) -> None:
        """Nothing is open."""


def refused() -> Exception:
    """The request never left."""
    return httpx2.ConnectError("connection refused")


def lost() -> Exception:
    """The request arrived, its reply didn't."""
    return httpx2.ReadError("connection reset")


def status(http: int, code: int, reason: str, *, retry: float | None = None, **metadata: str) -> httpx2.Response:
    """An error as the API tells it."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "eco2.app"}
    text = {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "ko", "message": "한국어 안내"}
    details: list[dict[str, Any]] = [info | {"metadata": metadata}, text]
    if retry is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retry_delay": f"{retry:g}s"})
    body = {"code": code, "message": f"english: {reason}", "details": details}
    return httpx2.Response(http, json=body, headers={"x-request-id": "request-1"})


def unavailable() -> httpx2.Response:
    """A service is down."""
    return status(503, 14, "UNAVAILABLE", retry=1)


def proxy() -> httpx2.Response:
    """What stands before the API answers in its place."""
    return httpx2.Response(502, text="<html>bad gateway</html>")


Fault = Exception | httpx2.Response


@dataclass
class FakeApi:
    """Behaves by the contract, and counts.

    Attributes:
        story: What a scan becomes, version after version: each is merged into the one before.
        outages: By step, whether nobody answers now.
        faults: By step, what goes wrong next: an error before anything is done, or a response in place of one.
        lost_replies: By step, how many replies get lost after all is done.
        cuts: After how many events each next watch is cut.
        lags: Whether a watch begins with versions that its client has seen.
        done: How often each step was done.
        requests: All that came in.
    """

    story: list[dict[str, Any]] = field(default_factory=lambda: list(USUAL))
    outages: dict[str, Callable[[], bool]] = field(default_factory=dict)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    lost_replies: Counter[str] = field(default_factory=Counter)
    cuts: deque[int] = field(default_factory=deque)
    lags: bool = False
    done: Counter[str] = field(default_factory=Counter)
    requests: list[httpx2.Request] = field(default_factory=list)
    scans: dict[str, str] = field(default_factory=dict)
    photos: dict[str, bytes] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    refresh_tokens: dict[str, str] = field(default_factory=dict)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        step = self._step(request)
        if step in self.outages and self.outages[step]():
            raise refused()
        if self.faults.get(step):
            fault = self.faults[step].popleft()
            if isinstance(fault, Exception):
                raise fault
            return fault
        response = getattr(self, f"_{step}")(request)
        self.done[step] += response.is_success
        if self.lost_replies[step]:
            self.lost_replies[step] -= 1
            raise lost()
        return response

    def asked(self, step: str) -> list[httpx2.Request]:
        """The requests of a step."""
        return [request for request in self.requests if self._step(request) == step]

    def _step(self, request: httpx2.Request) -> str:
        path = request.url.path
        if request.url.host == "storage.test":
            return "upload"
        named = {"/v1/auth/guest": "guest", "/v1/auth/token:refresh": "refresh", "/v1/buildings": "building"}
        if path in named:
            return named[path]
        if path == "/v1/scans":
            return "create" if request.method == "POST" else "page"
        if request.method == "DELETE":
            return "delete"
        return path.rpartition(":")[2] if ":" in path else "get"

    def _guest(self, request: httpx2.Request) -> httpx2.Response:
        return self._session(f"guest-{self.done['guest']}")

    def _refresh(self, request: httpx2.Request) -> httpx2.Response:
        """As Auth does: a token is good once, but for the very same request."""
        asked = json.loads(request.content)
        known = self.refresh_tokens.get(asked["refresh_token"])
        if known is None or known not in ("", asked["request_id"]):
            return status(401, 16, "SESSION_ENDED")
        self.refresh_tokens[asked["refresh_token"]] = asked["request_id"]
        return self._session(asked["refresh_token"].partition("/")[0], after=asked["refresh_token"])

    def _revoke(self, request: httpx2.Request) -> httpx2.Response:
        del self.refresh_tokens[json.loads(request.content)["refresh_token"]]
        return httpx2.Response(200, json={})

    def _session(self, user: str, after: str = "") -> httpx2.Response:
        token = f"{after or user}/r"
        self.refresh_tokens.setdefault(token, "")
        body = {
            "user_id": user, "access_token": f"access {token}", "access_token_expire_time": "2099-01-01T00:00:00Z",
            "refresh_token": token, "refresh_token_expire_time": "2099-01-01T00:00:00Z",
        }  # fmt: skip
        return httpx2.Response(200, json=body)

    def _create(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        scan_id = self.scans.setdefault(body["request_id"], f"scan-{len(self.scans)}")
        reply: dict[str, Any] = {"scan": self._scan(scan_id, 0)}
        if scan_id not in self.started and "upload" in body:
            url = f"{STORAGE}/{scan_id}?signature={len(self.requests)}"
            reply["upload"] = {"url": url, "method": "PUT", "headers": {"if-none-match": "*"}}
        return httpx2.Response(200, json=reply)

    def _upload(self, request: httpx2.Request) -> httpx2.Response:
        assert "authorization" not in request.headers
        scan_id = request.url.path.strip("/")
        if scan_id in self.photos:
            return httpx2.Response(412)
        self.photos[scan_id] = request.content
        return httpx2.Response(200)

    def _start(self, request: httpx2.Request) -> httpx2.Response:
        scan_id = request.url.path.rpartition("/")[2].removesuffix(":start")
        if scan_id not in self.photos:
            return status(400, 9, "PHOTO_NOT_UPLOADED", scan_id=scan_id)
        self.started.add(scan_id)
        return httpx2.Response(200, json=self._scan(scan_id, 1))

    def _watch(self, request: httpx2.Request) -> httpx2.Response:
        """As the service does: what is newer than the last event, and the terminal one again."""
        scan_id = request.url.path.rpartition("/")[2].removesuffix(":watch")
        seen, pieces = int(request.headers.get("last-event-id", "0")), list[bytes | Exception]([b"retry: 1000\n\n"])
        seen = 0 if self.lags else seen
        last = len(self.story)
        events = [(version, "UPDATE") for version in range(seen + 1, last + 1)] + [(last, "TERMINAL")]
        for version, kind in events:
            data = json.dumps({"type": f"TYPE_{kind}", "scan": self._scan(scan_id, version)}, ensure_ascii=False)
            pieces.append(b": heartbeat\n\n")
            pieces.append(f"id: {version}\nevent: {kind.lower()}\ndata: {data}\n\n".encode())
        if self.cuts:
            pieces = [*pieces[: 1 + 2 * self.cuts.popleft()], lost()]
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Connection(pieces))

    def _get(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=self._scan(request.url.path.rpartition("/")[2], len(self.story)))

    def _begin(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"authorization_url": "https://kakao.test/", "state": "state-1"})

    def _complete(self, request: httpx2.Request) -> httpx2.Response:
        return self._session("kakao user")

    def _export(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"export_id": "1", "state": "STATE_RUNNING"})

    def _page(self, request: httpx2.Request) -> httpx2.Response:
        number = int(request.url.params.get("page_token", "0"))
        scans = [{"scan_id": f"scan-{number}-{each}"} for each in range(2)]
        return httpx2.Response(200, json={"scans": scans, "next_page_token": str(number + 1) if number < 2 else ""})

    def _delete(self, request: httpx2.Request) -> httpx2.Response:
        if self.done["delete"]:
            return status(404, 5, "SCAN_NOT_FOUND")
        return httpx2.Response(200, json={})

    def _building(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={**json.loads(request.content)["building"], "code": "K7PD2MTX"})

    def _scan(self, scan_id: str, version: int) -> dict[str, Any]:
        scan: dict[str, Any] = {
            "scan_id": scan_id,
            "state": "STATE_AWAITING_UPLOAD",
            "version": version,
            "locale": "ko",
        }
        for change in self.story[:version]:
            scan |= change
        return scan
