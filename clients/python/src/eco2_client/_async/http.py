"""Requests and replies: each is tried until it succeeds, makes no sense any more, or its time is up."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx2
import msgspec

from eco2_client._async.runtime import Clock, HttpClient, Stream, in_thread, pieces
from eco2_client.errors import ApiError, Disconnected, Eco2Error, NotFound, TimedOut, Unauthenticated, UploadRefused
from eco2_client.files import Content
from eco2_client.models import JobUploadTarget, UploadTicket
from eco2_client.requests import Request
from eco2_client.retries import Attempts
from eco2_client.server_sent_events import EventDecoder, ServerSentEvent
from eco2_client.structs import decode, encode

T = TypeVar("T")

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 20.0  # the edge gives a call 15; GetScan may wait for 30
_WAIT_SECONDS = 40.0
_SILENCE_SECONDS = 45.0  # three heartbeats
_UPLOAD_SECONDS = 60.0  # without a byte in either direction
_MOST_BYTES = 32 << 20  # a page of scans has some hundred kilobytes
_PRECONDITION_FAILED = 412
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class AsyncTokens(Protocol):
    """Who brings access tokens."""

    async def current(self, rejected: str, seconds: float) -> str:
        """One that is good now, within so many seconds; another one than the API has just refused, if there is one."""


@dataclass(frozen=True, slots=True)
class AsyncHttp:
    """The API as one address.

    Attributes:
        client: Sends.
        base_url: Of the edge.
        locale: Language of texts and errors.
        user_agent: Who we say we are.
        timeout: Seconds that a call may take with all its tries, unless it says otherwise.
        clock: Waits between tries.
        assumed: Whether nobody has said `base_url`: where nothing listens there, nobody is waited for.
    """

    client: HttpClient
    base_url: str
    locale: str
    user_agent: str
    timeout: float
    clock: Clock
    assumed: bool = False

    def attempts(self, timeout: float | None = None, *, repeatable: bool = True) -> Attempts:
        """The tries of a call that begins now."""
        return Attempts(self.clock.now, self.timeout if timeout is None else timeout, repeatable=repeatable)

    async def call(self, request: Request[T], tokens: AsyncTokens | None = None, timeout: float | None = None) -> T:
        """Makes a call.

        Raises:
            ApiError, Disconnected, TimedOut: It doesn't succeed.
        """
        attempts, token, rejected = self.attempts(timeout, repeatable=request.repeatable), "", ""
        while True:
            try:
                if tokens is not None:
                    token = await tokens.current(rejected, attempts.left())
                return await self._sent(request, token, attempts)
            except Unauthenticated:
                if not token or rejected:
                    raise
                rejected = token
            except Eco2Error as error:
                await self.clock.sleep(attempts.pause_after(error))

    async def _sent(self, request: Request[T], token: str, attempts: Attempts) -> T:
        body = None if request.body is None else encode(request.body)
        headers = self._headers(token) | ({"content-type": "application/json"} if body else {})
        seconds = _WAIT_SECONDS if "wait" in request.query else _ANSWER_SECONDS
        try:
            async with self.client.stream(
                request.method, self.base_url + request.path, params=_query(request.query), headers=headers,
                content=body, timeout=_timeout(seconds, attempts),
            ) as response:  # fmt: skip
                content = await _content(response, attempts)
        except httpx2.HTTPError as error:
            raise self._disconnected(error, attempts) from None
        if response.is_success:
            return _parsed(content, request.reply)
        failure = ApiError.of(response.status_code, response.headers, content, self.locale)
        if request.removes and attempts.again and isinstance(failure, NotFound):
            return _parsed(b"{}", request.reply)  # an earlier try did it, and its reply was lost
        raise failure

    async def events(self, path: str, last_version: int, token: str, attempts: Attempts) -> Stream[ServerSentEvent]:
        """The events of a watch, heartbeats included, as long as its connection lasts.

        Raises:
            ApiError, Disconnected, TimedOut: It is refused, or ends other than by itself.
        """
        headers = self._headers(token) | {"accept": "text/event-stream"}
        headers |= {"last-event-id": str(last_version)} if last_version else {}
        decoder = EventDecoder()
        try:
            async with self.client.stream(
                "GET", self.base_url + path, headers=headers, timeout=_timeout(_SILENCE_SECONDS, attempts)
            ) as response:
                if not response.is_success:
                    body = await _content(response, attempts)
                    raise ApiError.of(response.status_code, response.headers, body, self.locale)
                async for chunk in response.aiter_bytes():
                    for event in decoder.feed(chunk):
                        yield event
        except httpx2.HTTPError as error:
            raise self._disconnected(error, attempts) from None

    async def upload(self, ticket: UploadTicket | JobUploadTarget, content: Content, attempts: Attempts) -> None:
        """Puts a file into object storage, once. Storage doesn't see the token: the presigned address is all it needs.

        Raises:
            UploadRefused, Disconnected, TimedOut: It isn't there, or nobody knows.
        """
        try:
            response = await self.client.request(
                ticket.method or "PUT", ticket.url, headers=ticket.headers,
                content=content if isinstance(content, bytes) else pieces(content),
                timeout=_timeout(_UPLOAD_SECONDS, attempts),
            )  # fmt: skip
        except httpx2.HTTPError as error:
            raise self._disconnected(error, attempts) from None
        # A file is never overwritten, so 412 says that it is there: an earlier try arrived, and its reply was lost.
        # StartScan and StartJob compare it with what was announced.
        if not response.is_success and response.status_code != _PRECONDITION_FAILED:
            raise UploadRefused(response.status_code, response.content)

    async def download(self, url: str, path: Path, attempts: Attempts) -> None:
        """Fetches a file from object storage, whose presigned address is all it needs.

        Raises:
            Disconnected, TimedOut: It isn't there as a whole.
            OSError: It can't be written.
        """
        try:
            async with self.client.stream("GET", url, timeout=_timeout(_UPLOAD_SECONDS, attempts)) as response:
                if not response.is_success:
                    raise Disconnected(f"object storage answered {response.status_code}")
                with await in_thread(path.open, "wb") as file:
                    async for chunk in response.aiter_bytes():
                        attempts.left()
                        await in_thread(file.write, chunk)
        except httpx2.HTTPError as error:
            raise self._disconnected(error, attempts) from None

    def _disconnected(self, error: httpx2.HTTPError, attempts: Attempts) -> Eco2Error:
        try:
            attempts.left()
        except TimedOut as late:
            return late
        text = str(error) or type(error).__name__
        if self.assumed and isinstance(error, httpx2.ConnectError):
            text = f"nothing listens at {self.base_url}: give `base_url`, or set ECO2_REST_URL ({text})"
            return Disconnected(text, sent=False, temporary=False)
        return Disconnected(text, sent=not isinstance(error, _NOT_SENT))

    def _headers(self, token: str) -> dict[str, str]:
        headers = {"accept": "application/json", "accept-language": self.locale, "user-agent": self.user_agent}
        return headers | ({"authorization": f"Bearer {token}"} if token else {})


async def _content(response: httpx2.Response, attempts: Attempts) -> bytes:
    """A reply's body: neither its size nor its slowness may outgrow the call."""
    content = bytearray()
    async for chunk in response.aiter_bytes():
        attempts.left()
        content += chunk
        if len(content) > _MOST_BYTES:
            raise Disconnected("what answers isn't Eco²: a reply without end")
    return bytes(content)


def _timeout(seconds: float, attempts: Attempts) -> httpx2.Timeout:
    """For each step of one try: none may outlast the call."""
    left = attempts.left()
    return httpx2.Timeout(min(seconds, left), connect=min(_CONNECT_SECONDS, left))


def _query(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _parsed(content: bytes, reply: type[T]) -> T:
    try:
        return decode(content, reply)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Disconnected("what answers isn't Eco²") from None
