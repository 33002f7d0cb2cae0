"""A user's data through the whole mesh: what is kept where, that all of it goes, and that no log names anybody."""

import asyncio
import json
import os
import sys
import uuid
import zipfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg
import httpx2
import pytest

from tests.e2e.conftest import Json, Phone, Sign
from tests.support.http import http_client
from tests.support.waiting import eventually

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
# How columns are called that say who a user is.
NAMES = ("user_id", "from_user", "to_user", "manager", "owner", "account", "email", "subject", "ip")
HOUSE = {
    "name": "한빛아파트",
    "region": "서울특별시/마포구",
    "collections": [{"kind": "KIND_RECYCLABLE", "days": ["TUESDAY"], "open_time": "18:00", "close_time": "06:00"}],
}
# What no user of these tests brings about: what hosted models cost, and being two.
INSERTED = (
    "insert into scan.reply_cost (user_id, micro_usd) values ($1, 1)",
    "insert into scan.moved_user (from_user, to_user) values ('guest of ' || $1, $1)",
    "insert into scan.client_job (id, user_id, payload_hash, kind, state, step, spec, locale)"
    " values (gen_random_uuid(), $1, '', 'message', 'QUEUED', 'queue', '{}', 'ko')",
    "insert into character.moved_user (from_user, to_user) values ('guest of ' || $1, $1)",
    "insert into auth.identity (provider, subject, user_id) values ('kakao', 'kakao ' || $1, $1)",
    "insert into character.corrected_reward (scan_id, user_id, verdict) values (gen_random_uuid(), $1, 'NO_RULES')",
)
# Who has left is known for as long as a token may be good.
LAST = "auth.departure.user_id"


@pytest.fixture
async def connection(stack: Mapping[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """The test's own look into the stack's database."""
    connection = await asyncpg.connect(stack["ECO2_DATABASE_URL"])
    yield connection
    await connection.close()


@pytest.fixture
async def guest(stack: Mapping[str, str]) -> AsyncIterator[tuple[Phone, Json]]:
    """A guest's phone, and their session."""
    async with http_client(base_url=stack["ECO2_REST_URL"], timeout=20) as http:
        session: Json = (await http.post("/v1/auth/guest", json={})).json()
        yield Phone(http, session["access_token"]), session


async def columns(connection: asyncpg.Connection) -> list[str]:
    """Every column that says who a user is, as schema.table.column."""
    rows = await connection.fetch(
        "select table_schema || '.' || table_name || '.' || column_name as name"
        " from information_schema.columns join information_schema.tables using (table_schema, table_name)"
        " where table_type = 'BASE TABLE' and table_schema = any ($1) and column_name = any ($2) order by 1",
        ["auth", "scan", "rules", "character"], NAMES,
    )  # fmt: skip
    return [row["name"] for row in rows]


async def naming(connection: asyncpg.Connection, user_id: str) -> dict[str, int]:
    """How many rows name a user, by column."""
    counts = {}
    for name in await columns(connection):
        table, _, column = name.rpartition(".")
        counts[name] = await connection.fetchval(f"select count(*) from {table} where {column} = $1", user_id)
    return counts


async def used(phone: Phone, photo: bytes) -> Json:
    """A user who has done all that leaves something; gives their last scan as it was created."""
    assert (await phone.call("POST", "/v1/buildings", {"building": HOUSE})).is_success
    deleted = await phone.create(photo)
    assert (await phone.call("DELETE", f"/v1/scans/{deleted['scan']['scan_id']}")).is_success
    hook = f"https://{uuid.uuid4().hex}.example.com/eco2"
    created = await phone.create(photo, callback_url=hook, user_input="상자예요", region="서울특별시/마포구")
    await phone.put(created["upload"], photo)
    scan_id = created["scan"]["scan_id"]
    assert (await phone.call("POST", f"/v1/scans/{scan_id}:start", {})).is_success
    assert (await phone.finished(scan_id))["state"] == "STATE_SUCCEEDED"
    assert (await phone.call("POST", "/v1/me:export", {})).is_success
    assert (await phone.call("POST", "/v1/me/calendar", {"region": "마포구"})).is_success
    assert (await phone.call("POST", "/v1/me/subscriptions", {"webhook_url": hook})).is_success
    reply = {"reply": "아니요, 건전지예요", "may_learn": True}
    assert (await phone.call("POST", f"/v1/scans/{scan_id}:answer", reply)).is_success
    return created


async def test_the_page_names_every_table_that_names_a_user(connection: asyncpg.Connection) -> None:
    """Whoever adds one says how long it is kept, and has it erased."""
    page = PAGE.read_text("utf-8")
    tables = {name.rpartition(".")[0] for name in await columns(connection)}
    assert len(tables) >= 13
    assert [table for table in sorted(tables) if f"`{table}`" not in page] == []


async def test_who_deletes_their_account_is_in_no_table(
    guest: tuple[Phone, Json], sign_in: Sign, connection: asyncpg.Connection, note_photo: bytes
) -> None:
    """Through the edge, from every service, the photo included; somebody else's stays to the last row."""
    (phone, session), neighbour = guest, sign_in(f"neighbour-{uuid.uuid4().hex}")
    user_id = session["user_id"]
    created = await used(phone, note_photo)
    kept = await used(neighbour, note_photo)
    for statement in INSERTED:
        await connection.execute(statement, user_id)
    before = await naming(connection, user_id)
    # Of a pair one is enough; a provider's subject is another id, and an account in a file is a text.
    apart = {LAST, "auth.departure.to_user", "auth.identity.subject", "scan.export.account"}
    apart |= {f"{service}.moved_user.from_user" for service in ("scan", "character")}
    assert [name for name, count in before.items() if not count and name not in apart] == []
    others = await rows(connection, neighbour)

    reply = await phone.call("DELETE", "/v1/me")
    assert reply.status_code == 200, reply.text
    assert "지워지고" in reply.json()["message"]
    refresh = await phone.http.post("/v1/auth/token:refresh", json={"refresh_token": session["refresh_token"]})
    assert refresh.json()["details"][0]["reason"] == "SESSION_ENDED"

    async def gone() -> bool:
        return not any(count for name, count in (await naming(connection, user_id)).items() if name != LAST)

    await eventually(gone)
    assert (await phone.call("GET", f"/v1/scans/{created['scan']['scan_id']}")).status_code == 404
    assert (await phone.call("GET", "/v1/scans")).json() == {}
    assert "characters" not in (await phone.call("GET", "/v1/me/characters")).json()
    async with http_client() as storage:
        assert (await storage.get(created["image_url"])).status_code in (403, 404)
        assert (await storage.get(kept["image_url"])).status_code == 200
    assert await rows(connection, neighbour) == others


async def eco2(stack: Mapping[str, str], phone: Phone, home: Path, *arguments: str) -> tuple[int, str]:
    """Runs the command as the user of a phone; its exit status, and what it printed."""
    token = phone.headers["Authorization"].removeprefix("Bearer ")
    own = {"ECO2_REST_URL": stack["ECO2_REST_URL"], "ECO2_TOKEN": token}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local", *arguments), cwd=home, env={**os.environ, **own, "HOME": str(home)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await process.communicate(b"n\n")
    return process.returncode or 0, printed.decode()


async def test_the_command_fetches_all_and_deletes_all(
    guest: tuple[Phone, Json], stack: Mapping[str, str], tmp_path: Path, note_photo: bytes
) -> None:
    """As a person does it; who is asked and says no keeps everything."""
    phone, session = guest
    scan_id = (await used(phone, note_photo))["scan"]["scan_id"]
    status, printed = await eco2(stack, phone, tmp_path, "export", "--all", "-o", "mine.zip")
    assert status == 0, printed
    with zipfile.ZipFile(tmp_path / "mine.zip") as file:
        account = json.loads(file.read("account.json"))
        assert f"photos/{scan_id}.jpg" in file.namelist()
        assert scan_id in file.read("scans.csv").decode()
        assert json.loads(file.read("characters.json"))["characters"]
    assert account["account"]["user_id"] == session["user_id"]
    assert len(account["sessions"]) == 1
    status, _ = await eco2(stack, phone, tmp_path, "delete-me")
    assert status == 1
    assert (await phone.call("GET", f"/v1/scans/{scan_id}")).is_success
    status, printed = await eco2(stack, phone, tmp_path, "delete-me", "--yes", "--locale", "en")
    assert (status, "closed" in printed) == (0, True), printed

    async def gone() -> bool:
        return (await phone.call("GET", f"/v1/scans/{scan_id}")).status_code == 404

    await eventually(gone)


async def rows(connection: asyncpg.Connection, phone: Phone) -> dict[str, int]:
    """What names the user of a phone."""
    me: httpx2.Response = await phone.call("GET", "/v1/me")
    return await naming(connection, me.json()["user_id"])


async def test_no_log_names_a_user(
    guest: tuple[Phone, Json], sign_in: Sign, stack: Mapping[str, str], note_photo: bytes
) -> None:
    """Neither the services', whatever they refuse, nor the edge's, the stores' and the supervisor's."""
    phone, session = guest
    mail = f"{uuid.uuid4().hex}@example.com"
    for one in (phone, sign_in(mail)):
        scan_id = (await used(one, note_photo))["scan"]["scan_id"]
        for method, path, body in (
            ("GET", f"/v1/scans/{uuid.uuid4()}", None),
            ("POST", f"/v1/scans/{scan_id}:cancel", {}),
            ("POST", "/v1/scans", {"request_id": "x" * 1000}),
            ("POST", f"/v1/scans/{scan_id}:answer", {"reply": ""}),
        ):
            assert (await one.call(method, path, body)).is_error
    assert (await phone.call("DELETE", "/v1/me")).is_success
    files = sorted((Path(stack["VAR"]) / "log").glob("*.log"))
    assert {"envoy.log", "postgres.log"} <= {file.name for file in files}
    logged = "\n".join(file.read_text("utf-8", "replace") for file in files)
    assert "SCAN_STATE" in logged
    assert '"user": "u-' in logged
    for secret in (session["user_id"], mail, session["access_token"], session["refresh_token"]):
        assert secret not in logged
