"""JSON over HTTP, as every part of the public API speaks it.

By urllib3, which loads in two fifths of httpx2's time: a command is over in less than httpx2 takes to load.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar
from urllib.parse import urlencode

import urllib3
from google.protobuf import json_format
from google.protobuf.message import Message
from urllib3.exceptions import HTTPError, LocationParseError, LocationValueError, ProtocolError, TimeoutError
from urllib3.util import Timeout, parse_url

from local.cli.api.errors import ApiError
from local.errors import Disconnected, Misuse
from local.files import open_private
from mesh.locale import Locale

_SECONDS = 10.0
_UPLOAD = Timeout(connect=10.0, read=60.0)
_SILENCE = Timeout(connect=10.0, read=45.0)  # three heartbeats
_PIECE = 1 << 16

M = TypeVar("M", bound=Message)


class Http:
    """Calls of one edge. Threads may share it. Use it in a `with` block.

    Args:
        base_url: Of the edge.
        locale: Language of texts and errors.
        token: The user's bearer token; none for what needs none.

    Raises:
        Misuse: The base URL is no HTTP address.
    """

    def __init__(self, base_url: str, locale: Locale, token: str = "") -> None:
        self._base = _address(base_url).rstrip("/")
        self._pool = _pool(self._base)
        self._headers = {"Accept-Language": str(locale), "User-Agent": "eco2"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._locale = locale

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.clear()

    def call(
        self,
        method: str,
        path: str,
        reply: M,
        request: Message | None = None,
        query: Mapping[str, object] | None = None,
        seconds: float = _SECONDS,
    ) -> M:
        """One call.

        Args:
            method: The HTTP method.
            path: With its variables quoted.
            reply: Takes what is answered.
            request: The body, if there is one.
            query: Parameters; those that are empty or None are left out, those of a list are repeated.
            seconds: How long the edge may say nothing.

        Raises:
            ApiError: It was refused.
            Disconnected: The edge can't be reached, or something else answers there.
        """
        headers, body = self._headers, None
        if request is not None:
            body = json_format.MessageToJson(request, preserving_proto_field_name=True, indent=None).encode()
            headers = {**headers, "Content-Type": "application/json"}
        with _connected(self._base):
            response = self._pool.request(
                method, self._base + path + _query(query or {}),
                body=body, headers=headers, timeout=Timeout(seconds), retries=False, redirect=False,
            )  # fmt: skip
        return self._read(response, reply)

    def stream(self, path: str, reply: type[M], query: Mapping[str, object]) -> Iterator[M]:
        """The messages of a stream, a JSON object a line, as they come.

        Raises:
            ApiError: It was refused.
            Disconnected: It was cut, or was silent for too long.
        """
        with _connected(self._base), self._opened(path + _query(query), _SILENCE) as response:
            rest = b""
            while piece := response.read1(_PIECE):
                *lines, rest = (rest + piece).split(b"\n")
                yield from (_parsed(line, reply()) for line in lines if line.strip())

    def upload(self, method: str, url: str, headers: Mapping[str, str], content: bytes | BinaryIO) -> None:
        """Sends a file to a presigned address: storage must not see the token.

        Raises:
            ApiError: It was refused.
            Disconnected: Storage can't be reached.
        """
        with _connected(url):
            response = _pool(url).request(
                method, url, body=content, headers=dict(headers), timeout=_UPLOAD, retries=False, redirect=False
            )
        # 412: an earlier try uploaded the photo and its reply was lost; StartScan checks the photo.
        if response.status >= 400 and response.status != 412:
            raise ApiError.from_json(response.data, response.status, self._locale)

    def fetch(self, url: str, file: Path) -> None:
        """Puts what is at a presigned address into a file, readable by its owner alone.

        Raises:
            ApiError: It was refused.
            Disconnected: Storage can't be reached, or the connection broke.
        """
        with (
            _connected(url),
            _pool(url).request("GET", url, timeout=_UPLOAD, retries=False, preload_content=False) as response,
        ):
            if response.status >= 400:
                raise ApiError.from_json(response.read(), response.status, self._locale)
            with open_private(file) as content:
                for piece in response.stream(_PIECE):
                    content.write(piece)

    @contextmanager
    def _opened(self, path: str, timeout: Timeout) -> Iterator[urllib3.BaseHTTPResponse]:
        response = self._pool.request(
            "GET", self._base + path, headers=self._headers, timeout=timeout,
            retries=False, redirect=False, preload_content=False,
        )  # fmt: skip
        try:
            if response.status >= 300:
                raise ApiError.from_json(response.read(), response.status, self._locale)
            yield response
        finally:
            response.close()

    def _read(self, response: urllib3.BaseHTTPResponse, reply: M) -> M:
        if response.status >= 400:
            raise ApiError.from_json(response.data, response.status, self._locale)
        return _parsed(response.data, reply)


def _pool(url: str) -> urllib3.PoolManager:
    """Connections to an address, through the proxy that the environment names for it."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return urllib3.PoolManager(maxsize=16)
    from urllib.request import getproxies, proxy_bypass  # here: few are behind a proxy

    address = parse_url(url)
    proxy = getproxies().get(address.scheme or "")
    if not proxy or proxy_bypass(address.host or ""):
        return urllib3.PoolManager(maxsize=16)
    return urllib3.ProxyManager(proxy, maxsize=16)


def _address(text: str) -> str:
    try:
        address = parse_url(text)
        text.encode("ascii")
    except (LocationParseError, UnicodeError) as error:
        raise Misuse(f"ECO2_REST_URL isn't an address: {error}") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise Misuse(f"ECO2_REST_URL isn't an address such as http://127.0.0.1:8080: {text}")
    return text


def _query(parameters: Mapping[str, object]) -> str:
    given = {name: value for name, value in parameters.items() if value not in ("", None, (), [])}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _parsed(content: bytes, reply: M) -> M:
    try:
        return json_format.Parse(content, reply, ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError):
        raise Disconnected("what answers isn't Eco²") from None


@contextmanager
def _connected(url: str) -> Iterator[None]:
    """Connections that fail, in one line each."""
    try:
        yield
    except LocationValueError as error:
        raise Misuse(f"isn't an address: {error}") from None
    except HTTPError as error:
        raise Disconnected(f"{parse_url(url).netloc}: {_cause(error)}") from error


def _cause(error: BaseException) -> str:
    """What the system said, without the objects that urllib3 names on the way."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        found = found.__cause__ or found.__context__
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return "the connection was lost" if isinstance(error, ProtocolError) else type(error).__name__
