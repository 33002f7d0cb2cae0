"""Signing in as newcomers can at once: at the demo provider that `eco2 up` starts, from an app and by `eco2 login`."""

import asyncio
import base64
import hashlib
import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.e2e.conftest import Json, Phone
from tests.support.http import http_client
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
REDIRECT = "http://127.0.0.1:9/callback"


async def guest(http: httpx2.AsyncClient) -> tuple[Phone, str]:
    """Somebody new, and their id."""
    session: Json = (await http.post("/v1/auth/guest", json={})).json()
    return Phone(http, session["access_token"]), session["user_id"]


async def signed_in(phone: Phone) -> tuple[Phone, str]:
    """Who signs in from a guest's phone, as an app does it."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    begun = await phone.call("POST", "/v1/auth/demo:begin", {"redirect_uri": REDIRECT, "code_challenge": challenge})
    assert begun.status_code == 200, begun.text
    async with http_client() as browser:
        back = await browser.get(begun.json()["authorization_url"])
    query = parse_qs(urlsplit(back.headers["location"]).query)
    completed = await phone.call(
        "POST",
        "/v1/auth/demo:complete",
        {"state": query["state"][0], "code": query["code"][0], "code_verifier": verifier},
    )
    assert completed.status_code == 200, completed.text
    session: Json = completed.json()
    return Phone(phone.http, session["access_token"]), session["user_id"]


async def history(phone: Phone) -> set[str]:
    """One's scans."""
    reply = await phone.call("GET", "/v1/scans")
    assert reply.status_code == 200, reply.text
    return {scan["scan_id"] for scan in reply.json().get("scans", [])}


async def eco2(stack: Mapping[str, str], home: Path, *command: str) -> str:
    """What a command prints, on a machine without a screen: nothing there opens an address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local", *command, "--var", stack["VAR"]),
        cwd=ROOT,
        env={"HOME": str(home), "PATH": str(home), "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, printed
    return printed


async def test_the_demo_user_signs_in_again_and_again_and_guests_become_that_user(
    stack: Mapping[str, str], note_photo: bytes, tmp_path: Path
) -> None:
    """The first guest's scan stays with them, the second's moves; `eco2 login` is the same user without a screen."""
    async with http_client(base_url=stack["ECO2_REST_URL"], timeout=20) as http:
        offered = (await http.get("/v1/auth/providers", headers={"Accept-Language": "ko"})).json()["providers"]
        assert offered == [{"provider": "demo", "name": "로컬 데모"}]

        first, first_id = await guest(http)
        kept = await first.started(note_photo)
        user, user_id = await signed_in(first)
        assert user_id == first_id
        assert await history(user) == {kept}

        second, second_id = await guest(http)
        moved = await second.started(note_photo)
        user, again_id = await signed_in(second)
        assert again_id == user_id != second_id

        async def both() -> bool:
            return await history(user) == {kept, moved}

        await eventually(both)

        printed = await eco2(stack, tmp_path, "login")
        assert f"as {user_id}" in printed
        listed = await eco2(stack, tmp_path, "history")
        assert kept in listed
        assert moved in listed
        (held,) = json.loads((tmp_path / ".config" / "eco2" / "credentials.json").read_text("utf-8")).values()
        assert held["user_id"] == user_id
