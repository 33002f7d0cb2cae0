"""Where the browser comes back to: a listener on loopback, on whatever port is free (RFC 8252, 7.3)."""

import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

_PATH = "/callback"
_PAGE = "<!doctype html><meta charset=utf-8><title>Eco²</title><p>이 창을 닫아도 돼요. You can close this window."
# One request at a time, from a browser that may open a connection and say nothing.
_REQUEST_SECONDS = 5.0


class RedirectListener:
    """Waits for one redirect. Use it in a `with` block.

    Attributes:
        redirect_uri: Where to send the browser back to.
    """

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self.redirect_uri = f"http://127.0.0.1:{self._server.server_port}{_PATH}"

    def __enter__(self) -> "RedirectListener":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def wait(self, state: str, seconds: float) -> Mapping[str, str] | None:
        """What came back with this state; None if nothing did in time. Whatever else comes is turned away."""
        self._server.state = state
        ends_at = time.monotonic() + seconds
        while self._server.found is None and (left := ends_at - time.monotonic()) > 0:
            self._server.timeout = left
            self._server.handle_request()
        return self._server.found


class _Server(HTTPServer):
    state = ""
    found: Mapping[str, str] | None = None

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _REQUEST_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Called by the server for each request."""
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        if address.path != _PATH or query.get("state") != self.server.state:
            self.send_error(404)
            return
        self.server.found = query
        page = _PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        """Its address holds the code: never logged."""
