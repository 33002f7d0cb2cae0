"""A page on another origin, in a real browser, by a library whose makers don't know us: connect-web.

It signs in with a provider, uploads, watches and reads refusals. A page whose origin isn't named is told nothing.
"""

import asyncio
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from local import npm
from local.stack.background import running
from tests.e2e.browser.bundle import bundled, packages
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, running_provider
from tests.support.ports import free_port
from tests.support.sample_photos import note
from tests.support.stack_folders import stack_folder

pytestmark = pytest.mark.stack

HTML = b'<!doctype html><meta charset="utf-8"><title>A page</title><script type="module" src="/page.js"></script>'
SIGN_IN = ("Unauthenticated", "Sign in first.", "UNAUTHENTICATED")
REFUSALS = {
    "unknownScan": ("NotFound", None, "SCAN_NOT_FOUND"),
    "unknownWatch": ("NotFound", None, "SCAN_NOT_FOUND"),
    "badField": ("InvalidArgument", None, "INVALID_FIELD"),
    "internal": ("Unimplemented", "Nothing is served at this address.", "NOT_IMPLEMENTED"),
    "tooLarge": ("ResourceExhausted", "The request is too large; the limit is 1 MiB.", "LIMIT_EXCEEDED"),
    "noToken": SIGN_IN,
    "noTokenWatch": SIGN_IN,
    "badToken": SIGN_IN,
}


@pytest.fixture(scope="module")
def browser() -> Path:
    """The folder with the browser and what makes the page's program."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        pytest.skip("npm's Chromium is for Linux on x86-64")
    try:
        return packages()
    except npm.NoNode as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@contextmanager
def served(files: Mapping[str, tuple[str, bytes]]) -> Iterator[str]:
    """A web server; gives its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = files.get(self.path.partition("?")[0], ("text/plain", b""))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def origins(browser: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The page on two origins."""
    script = ("text/javascript", bundled(browser, tmp_path_factory.mktemp("page")))
    html = ("text/html", HTML)
    files = {"/": html, "/callback": html, "/page.js": script, "/photo.jpg": ("image/jpeg", note())}
    with served(files) as ours, served(files) as other:
        yield ours, other


@pytest.fixture(scope="module")
def provider_port() -> int:
    """Where people sign in."""
    return free_port()


@pytest.fixture(scope="module")
def edge(origins: tuple[str, str], provider_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The edge of a whole stack that names the first of the two origins."""
    providers = tmp_path_factory.mktemp("providers") / "providers.yaml"
    provider = OidcProvider(f"http://127.0.0.1:{provider_port}").described()
    providers.write_text(yaml.safe_dump({"standin": provider}), encoding="utf-8")
    with stack_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECO2_CORS_ORIGINS", origins[0])
        patch.setenv("ECO2_AUTH_PROVIDERS", str(providers))
        patch.setenv("ECO2_AUTH_CLIENTS", json.dumps({"standin": {"id": CLIENT_ID, "secret": CLIENT_SECRET}}))
        with running(folder) as variables:
            yield variables["ECO2_REST_URL"]


async def browsed(browser: Path, pages: tuple[str, str]) -> list[dict[str, Any]]:
    """What each page says came of it."""
    process = await asyncio.create_subprocess_exec(
        *("node", "browse.mjs", *pages, "mina"),
        cwd=browser,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    print(errors.decode())
    return [json.loads(line) for line in output.splitlines()]


async def test_a_page_signs_in_uploads_and_watches(
    browser: Path, origins: tuple[str, str], edge: str, provider_port: int
) -> None:
    """The whole way, and every refusal with its code, reason and a text for people."""
    ours, other = (f"{origin}/?edge={edge}" for origin in origins)
    async with running_provider(provider_port):
        outcome, kept_out = await browsed(browser, (ours, other))

    assert "failed" not in outcome, outcome
    assert (outcome["guest"], outcome["names"]) == (False, ["mina of the stand-in"])
    scan = outcome["scan"]
    assert (scan["uploaded"], scan["state"], scan["history"]) == (200, "SUCCEEDED", [True])
    assert scan["types"][0] == "SNAPSHOT"
    assert scan["types"][-1] == "TERMINAL"
    assert (scan["eventSource"], scan["refusedTicket"]) == (["terminal"], "Error: EventSource gave up")
    assert scan["answer"]
    assert outcome["refusals"].keys() == REFUSALS.keys()
    for name, (code, _, reason) in REFUSALS.items():
        refusal = outcome["refusals"][name]
        assert (refusal["code"], refusal.get("reason"), refusal.get("locales", [""])[0]) == (code, [reason], "ko"), name
    for name, (_, message, _) in REFUSALS.items():
        assert message in (None, outcome["refusals"][name]["message"])
    # The browser says no more than that nothing could be fetched.
    assert (kept_out["code"], kept_out["reason"]) == ("Unknown", [])
