"""Signing in on a machine without a screen: what is visited there without a browser, and what isn't."""

import threading
import webbrowser
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.cli.account.visit import visit


class _Server(ThreadingHTTPServer):
    location = ""
    visited: list[str]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.visited.append(self.path)
        self.send_response(303 if self.path == "/authorize" and self.server.location else 200)
        self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[_Server]:
    """A provider, and where it sends back to."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.visited = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("opens", "location", "visited"),
    [
        (False, "{own}/callback?code=1", ["/authorize", "/callback?code=1"]),
        (False, "{own}/elsewhere?code=1", ["/authorize"]),
        (False, "", ["/authorize"]),  # it has a page, for somebody to see
        (True, "{own}/callback?code=1", []),
    ],
)
def test_only_a_provider_that_sends_straight_back_is_visited(
    server: _Server, monkeypatch: pytest.MonkeyPatch, opens: bool, location: str, visited: list[str]
) -> None:
    """And only when no browser opens."""
    monkeypatch.setattr(webbrowser, "open", lambda _: opens)
    own = f"http://127.0.0.1:{server.server_port}"
    server.location = location.format(own=own)
    visit(f"{own}/authorize", f"{own}/callback")
    assert server.visited == visited


def test_a_provider_elsewhere_is_left_to_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks somebody something, and a command is nobody."""
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    asked: list[object] = []
    monkeypatch.setattr("local.cli.account.visit.urllib3.PoolManager", asked.append)
    visit("https://127.0.0.1.example/authorize", "http://127.0.0.1:1/callback")
    assert asked == []
