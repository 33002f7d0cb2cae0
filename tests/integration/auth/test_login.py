"""`eco2 login` with a real provider: the browser comes back to a listener, the tokens stay private and fresh."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from auth_svc.app import application
from auth_svc.settings import AuthSettings
from local.cli.account.signed_in import current_token
from local.cli.session import Session
from tests.integration.auth.conftest import NOBODY, SECRET
from tests.support.edge.envoy import Edge, Issuer, running
from tests.support.edge.own_keys import fetching
from tests.support.http import http_client
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, LOOPBACK, running_provider, sign_in_there
from tests.support.ports import free_port
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def edge(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Edge]:
    """An edge in front of Auth, which offers one provider."""
    port = free_port()
    async with running(tmp_path, port, fetching) as edge, running_provider() as provider:
        file = tmp_path / "providers.yaml"
        file.write_text(yaml.safe_dump({"standin": provider.described()}), encoding="utf-8")
        settings = AuthSettings(
            database_url=database_url,
            redis_url=redis_url,
            listen=f"127.0.0.1:{port}",
            drain_seconds=0,
            auth_secrets=SECRET,
            scan_target=NOBODY,
            character_target=NOBODY,
            rules_target=NOBODY,
            auth_issuer=Issuer().name,
            auth_providers=str(file),
            auth_clients=json.dumps({"standin": {"id": CLIENT_ID, "secret": CLIENT_SECRET}}),
            auth_redirects=LOOPBACK,
        )
        async with application(settings), http_client() as client:

            async def serves() -> bool:
                return (await client.get(f"{edge.url}/v1/auth/providers")).status_code == 200

            await eventually(serves)
            yield edge


async def test_a_login_lasts_over_commands_and_refreshes_by_itself(edge: Edge, tmp_path: Path) -> None:
    """From the printed address to logging out; nothing secret is printed, and nobody else can read it."""
    environment = {
        "HOME": str(tmp_path / "home"),
        "PATH": os.defpath,
        "ECO2_REST_URL": edge.url,
    }

    async def start(*command: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "local", *command),
            cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    command = await start("login", "--no-browser", "--var", str(tmp_path / "none"))
    assert command.stdout is not None
    printed = await command.stdout.readline()
    address = (await command.stdout.readline()).decode().strip()
    back = await sign_in_there(address, "mina")
    async with http_client() as browser:
        forged = await browser.get(f"{back.redirect_uri}?state=another&code=another")
        page = await browser.get(f"{back.redirect_uri}?state={back.state}&code={back.code}")
    assert (forged.status_code, page.status_code) == (404, 200)
    rest, _ = await command.communicate()
    assert command.returncode == 0, rest.decode()

    kept = tmp_path / "home" / ".config" / "eco2" / "credentials.json"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    (first,) = json.loads(kept.read_text("utf-8")).values()
    for secret in (first["access_token"], first["refresh_token"], back.code):
        assert secret not in (printed + rest).decode()
    assert Session.find(tmp_path, environment).token == first["access_token"]
    assert Session.find(tmp_path, {**environment, "ECO2_TOKEN": "another's"}).token == "another's"

    # It is about to expire. Several commands at once refresh it once.
    kept.write_text(json.dumps({edge.url: first | {"expires_at": 0}}), encoding="utf-8")
    tokens = await asyncio.gather(*(asyncio.to_thread(current_token, edge.url, environment) for _ in range(5)))
    assert len(set(tokens)) == 1
    (second,) = json.loads(kept.read_text("utf-8")).values()
    assert second["refresh_token"] != first["refresh_token"]
    async with http_client(base_url=edge.url, headers={"Authorization": f"Bearer {tokens[0]}"}) as client:

        async def let_in() -> bool:  # once the edge has Auth's keys
            return (await client.get("/v1/me")).status_code == 200

        await eventually(let_in)
        me = (await client.get("/v1/me")).json()
    assert (me["user_id"], me["identities"][0]["provider"]) == (first["user_id"], "standin")

    ending = await start("logout", "--var", str(tmp_path / "none"))
    assert b"Signed out" in (await ending.communicate())[0]
    assert json.loads(kept.read_text("utf-8")) == {}
    assert await asyncio.to_thread(current_token, edge.url, environment) == ""

    # A session that ended elsewhere is forgotten, and the next command is nobody's.
    kept.write_text(json.dumps({edge.url: second | {"expires_at": 0}}), encoding="utf-8")
    assert await asyncio.to_thread(current_token, edge.url, environment) == ""
    assert json.loads(kept.read_text("utf-8")) == {}
