"""The client."""

import os
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2

from eco2_client._async.account import AsyncOwnAccount
from eco2_client._async.api import AsyncApi
from eco2_client._async.auth import AsyncAuth
from eco2_client._async.buildings import AsyncBuildings
from eco2_client._async.characters import AsyncCharacters
from eco2_client._async.http import AsyncHttp
from eco2_client._async.jobs import AsyncJobs
from eco2_client._async.rules import AsyncRules
from eco2_client._async.runtime import Clock, HttpClient, TokenFunction
from eco2_client._async.scanning import AsyncScanner, AsyncScanStream
from eco2_client._async.scans import AsyncScans
from eco2_client._async.tokens import AsyncGivenToken, AsyncSessionTokens
from eco2_client.credentials import Credentials
from eco2_client.photos import MAX_SIDE, Photo
from eco2_client.requests import Location, given, latlng
from eco2_client.scan_order import ScanOrder
from eco2_client.version import USER_AGENT

_MAKE_UP = "http://127.0.0.1:8080"
# A scan ends within five minutes; before that it may wait for its turn.
_SCAN_SECONDS = 600.0


class AsyncClient:
    """Eco² for one user.

    Calls that fail for the moment are made again by themselves, after the pause that the API asks for, until they
    succeed or `timeout` is over; each creation carries an id by which the API does it once. Close it, or use it as a
    context manager.

    Args:
        base_url: Of the API; by default the environment's ECO2_REST_URL, else where `make up` serves it; if nothing
            listens there, nobody waits for it.
        token: An access token, or a function that gives one, asked before each call. Without one the client signs in:
            as a guest at the first call, or see `auth`. What a guest has is lost with its `credentials`.
        credentials: A session to go on with.
        on_credentials: Is told of each new state of the session, to keep it; None when it has ended.
        locale: Language of texts and errors: "ko" or "en".
        timeout: Seconds that a call may take with all its tries.
        http: An HTTP client of your own, for a proxy or other certificates; close it yourself.

    Attributes:
        scans: Scans that there are: history, replies, schedule.
        jobs: What takes longer than a call: batches of photos, exports, clips.
        rules: The rule book: search, rules, places.
        characters: What scans earn.
        buildings: Houses with days of their own.
        account: The user's account.
        auth: Signing in and out.

    Raises:
        ValueError: The base URL is no HTTP address.
    """

    def __init__(
        self,
        base_url: str = "",
        *,
        token: str | TokenFunction | None = None,
        credentials: Credentials | None = None,
        on_credentials: Callable[[Credentials | None], None] | None = None,
        locale: str = "ko",
        timeout: float = 30.0,
        http: HttpClient | None = None,
    ) -> None:
        said = base_url or os.environ.get("ECO2_REST_URL")
        base_url = said or _MAKE_UP
        if urlsplit(base_url).scheme not in ("http", "https") or not urlsplit(base_url).hostname:
            raise ValueError(f"not an address such as https://api.eco2.app: {base_url!r}")
        self._owned = HttpClient(limits=httpx2.Limits(max_connections=None)) if http is None else None
        client = http or self._owned
        assert client is not None
        self._http = AsyncHttp(client, base_url.rstrip("/"), locale, USER_AGENT, timeout, Clock(), assumed=not said)
        own = AsyncSessionTokens(self._http, credentials, on_credentials)
        tokens = own if token is None else AsyncGivenToken(token)
        api = AsyncApi(self._http, tokens)
        self._scanner = AsyncScanner(self._http, tokens)
        self.scans = AsyncScans(api)
        self.jobs = AsyncJobs(api)
        self.rules = AsyncRules(api)
        self.characters = AsyncCharacters(api)
        self.buildings = AsyncBuildings(api)
        self.account = AsyncOwnAccount(api)
        self.auth = AsyncAuth(api)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes its connections. Scans go on."""
        if self._owned is not None:
            await self._owned.aclose()

    def scan(
        self,
        photo: Photo,
        *,
        location: Location | None = None,
        region: str = "",
        building: str = "",
        question: str = "",
        locale: str = "",
        callback_url: str = "",
        request_id: str = "",
        max_side: int | None = MAX_SIDE,
        timeout: float = _SCAN_SECONDS,
    ) -> AsyncScanStream:
        """Finds out what a photo shows, and how it is disposed of.

        Announces the photo, uploads it, starts the scan and watches it to its end, whatever breaks meanwhile. Iterate
        over the events (`Accepted`, `Progress`, `Classified`, `AnswerText`, `Finished`), or take the `result()`.

        Args:
            photo: A path, the bytes, a file, or a public https address.
            location: Latitude and longitude of the user; without it no places are looked for.
            region: The user's region, such as "서울특별시/마포구".
            building: Code of the user's building.
            question: What the user asks or says about it.
            locale: Language of the results; by default the client's.
            callback_url: Where to POST a webhook once the scan has ended.
            request_id: Makes it happen once: who calls again with the same one, the same photo and the same words gets
                the same scan. By default each call is a scan of its own, once.
            max_side: Most pixels of the photo's longer side. What is larger is made smaller before it is uploaded, and
                loses its metadata, if the extra `shrink` is installed; None to send the file as it is.
            timeout: Most seconds from here to the end.

        Raises:
            ScanFailed: The scan ended without an answer.
            PhotoRefused: It is empty, too large, or no photo.
            OSError: It can't be read.
            InvalidArgument: `field` says what is wrong.
            Unauthenticated, NotFound, AlreadyExists: No identity, no such building, a request_id of another scan.
            ResourceExhausted: SCAN_BACKLOG, RATE_LIMIT: for longer than `timeout`.
            UploadRefused, Unavailable, Disconnected, TimedOut: It takes longer than `timeout`. A scan that was accepted
                goes on; `watch` takes it up again.
        """
        fields = given(
            location=latlng(location), region=region, building=building, user_input=question,
            locale=locale or self._http.locale, callback_url=callback_url, request_id=request_id or str(uuid4()),
        )  # fmt: skip
        return AsyncScanStream(self._scanner.scan(ScanOrder(photo, max_side, fields), timeout))

    def watch(self, scan_id: str, *, timeout: float = _SCAN_SECONDS) -> AsyncScanStream:
        """The events of a scan that there is, from its state now to its end.

        Args:
            scan_id: Which.
            timeout: Most seconds to watch it.

        Raises:
            ScanFailed: The scan ended without an answer.
            NotFound: There is none, or it was deleted.
            Unauthenticated, Unavailable, Disconnected, TimedOut: It takes longer than `timeout`.
        """
        return AsyncScanStream(self._scanner.watch(scan_id, timeout))
