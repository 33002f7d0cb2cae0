"""Users who are gone, and what becomes of their data: Auth before services that do what a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import grpc
import pytest

from auth_svc.departures.departures import Departure
from auth_svc.providers.providers import Identity
from auth_svc.sign_in.store import IdentityStore, SignedIn
from eco2.auth.v1 import auth_service_pb2 as pb
from eco2.character.v1 import character_service_pb2, character_service_pb2_grpc
from eco2.rules.v1 import building_service_pb2, building_service_pb2_grpc
from eco2.scan.v1 import scan_service_pb2, scan_service_pb2_grpc
from mesh.errors import Unavailable
from mesh.grpc.server import Service, serving
from mesh.grpc.status import from_rpc_error
from mesh.observability import telemetry
from mesh.postgres import open_pool
from mesh.reasons import Reason
from mesh.settings import ServiceSettings
from tests.integration.auth.conftest import Serve
from tests.support.ports import free_port
from tests.support.waiting import eventually, true_of

if TYPE_CHECKING:
    from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

DAY = timedelta(days=1)


class Keepers(
    scan_service_pb2_grpc.ScanServiceServicer,
    character_service_pb2_grpc.CharacterServiceServicer,
    building_service_pb2_grpc.BuildingServiceServicer,
):
    """Scan, Character and Rules, as far as they keep users' data. `before` runs first: raise to fail, wait to hold."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.undone = 0  # how many more calls leave something for another one
        self.before: Callable[[str], Awaitable[None]] | None = None

    async def _asked(self, *call: str) -> bool:
        if self.before:
            await self.before(call[0])
        self.asked.append(call)
        self.undone -= 1
        return self.undone < 0

    async def TransferScans(self, request: Any, context: Any) -> scan_service_pb2.TransferScansResponse:
        done = await self._asked("TransferScans", request.from_user_id, request.to_user_id)
        return scan_service_pb2.TransferScansResponse(done=done)

    async def EraseScans(self, request: Any, context: Any) -> scan_service_pb2.EraseScansResponse:
        return scan_service_pb2.EraseScansResponse(done=await self._asked("EraseScans", request.user_id))

    async def TransferCharacters(self, request: Any, context: Any) -> character_service_pb2.TransferCharactersResponse:
        await self._asked("TransferCharacters", request.from_user_id, request.to_user_id)
        return character_service_pb2.TransferCharactersResponse(done=True)

    async def EraseCharacters(self, request: Any, context: Any) -> character_service_pb2.EraseCharactersResponse:
        await self._asked("EraseCharacters", request.user_id)
        return character_service_pb2.EraseCharactersResponse(done=True)

    async def TransferBuildings(self, request: Any, context: Any) -> building_service_pb2.TransferBuildingsResponse:
        await self._asked("TransferBuildings", request.from_user_id, request.to_user_id)
        return building_service_pb2.TransferBuildingsResponse(done=True)

    async def EraseBuildings(self, request: Any, context: Any) -> building_service_pb2.EraseBuildingsResponse:
        await self._asked("EraseBuildings", request.user_id)
        return building_service_pb2.EraseBuildingsResponse(done=True)

    @asynccontextmanager
    async def serving(self, port: int) -> AsyncIterator[None]:
        settings = ServiceSettings(listen=f"127.0.0.1:{port}", drain_seconds=0, grace_seconds=0)
        services = [
            Service("eco2.scan.v1.ScanService", scan_service_pb2_grpc.add_ScanServiceServicer_to_server, self),
            Service(
                "eco2.character.v1.CharacterService",
                character_service_pb2_grpc.add_CharacterServiceServicer_to_server,
                self,
            ),
            Service(
                "eco2.rules.v1.BuildingService", building_service_pb2_grpc.add_BuildingServiceServicer_to_server, self
            ),
        ]
        with telemetry.started("keepers", settings) as shared:
            async with serving(settings, services, telemetry=shared):
                yield


@pytest.fixture
def keepers() -> Keepers:
    return Keepers()


@pytest.fixture
def port() -> int:
    """Where the keepers are."""
    return free_port()


@pytest.fixture
def targets(port: int) -> dict[str, str]:
    """Settings that lead there."""
    return dict.fromkeys(("scan_target", "character_target", "rules_target"), f"127.0.0.1:{port}")


@pytest.fixture
async def auth(
    serve: Serve, keepers: Keepers, targets: dict[str, str], port: int
) -> AsyncIterator["AuthServiceAsyncStub"]:
    """A client of Auth with all services there."""
    async with keepers.serving(port), serve(**targets) as auth:
        yield auth


@pytest.fixture
async def signing_in(database_url: str) -> AsyncIterator[Callable[..., Awaitable[SignedIn]]]:
    """Signs somebody in as a provider's user, as `CompleteSignIn` does; with the guest who began."""
    async with open_pool(database_url) as pool:
        store = IdentityStore(pool, DAY, DAY)
        ids = iter(range(1, 1000))

        async def sign_in(subject: str, guest: str = "") -> SignedIn:
            return await store.sign_in(Identity("kakao", subject), guest, f"user-{next(ids)}")

        yield sign_in


def me(user_id: str) -> tuple[tuple[str, str], ...]:
    return (("eco2-user-id", user_id),)


async def reason_of(call: Awaitable[object]) -> Reason:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return from_rpc_error(refused.value, "auth").reason


async def departures(connection: asyncpg.Connection) -> list[tuple[str, str | None]]:
    rows = await connection.fetch("select user_id, to_user from auth.departure order by user_id")
    return [(row["user_id"], row["to_user"]) for row in rows]


async def make_due(connection: asyncpg.Connection, *, tokens_expired: bool = False) -> None:
    """As if the pause, or also the life of the last token, were over."""
    age = DAY if tokens_expired else DAY * 0
    await connection.execute("update auth.departure set run_at = now(), left_at = left_at - $1::interval", age)


async def over(connection: asyncpg.Connection) -> None:
    """Returns once no departure is left."""

    async def none() -> bool:
        return not await departures(connection)

    await eventually(none)


async def test_a_guest_who_is_somebody_already_departs(
    auth: "AuthServiceAsyncStub", signing_in: Any, connection: asyncpg.Connection
) -> None:
    """In the transaction that signs in: the account and its sessions are gone, and what is theirs is to follow."""
    owner = (await signing_in("mina")).session.user_id
    guest = await auth.CreateGuest(pb.CreateGuestRequest())
    again = await signing_in("mina", guest.user_id)
    assert again.session.user_id == owner
    assert (again.departure.user_id, again.departure.to_user) == (guest.user_id, owner)
    assert await departures(connection) == [(guest.user_id, owner)]
    refresh = auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=guest.refresh_token))
    assert await reason_of(refresh) == Reason.SESSION_ENDED
    # The token that is still good makes nobody of the guest again.
    assert (await signing_in("mina", guest.user_id)).departure is None
    newcomer = await signing_in("somebody new", guest.user_id)
    assert newcomer.session.user_id not in (guest.user_id, owner)


async def test_only_a_guest_departs(
    auth: "AuthServiceAsyncStub", signing_in: Any, connection: asyncpg.Connection
) -> None:
    """Neither a user who comes to another account, nor who signs in again, nor whose id another issuer gave."""
    mina, joon = [(await signing_in(name)).session.user_id for name in ("mina", "joon")]
    for caller in (mina, joon, "of another issuer", ""):
        assert (await signing_in("mina", caller)).departure is None
    assert await departures(connection) == []
    account = await auth.GetMe(pb.GetMeRequest(), metadata=me(joon))
    assert [one.provider for one in account.identities] == ["kakao"]


async def test_a_guest_who_signs_in_twice_at_once_loses_nothing(
    auth: "AuthServiceAsyncStub", signing_in: Any, connection: asyncpg.Connection
) -> None:
    """With a new identity and with one that has a user: either the guest becomes a user, or departs, never both."""
    for number in range(20):
        await signing_in(f"mina {number}")
        guest = (await auth.CreateGuest(pb.CreateGuestRequest())).user_id
        known, new = await asyncio.gather(signing_in(f"mina {number}", guest), signing_in(f"new {number}", guest))
        became = new.session.user_id == guest
        assert became != (known.departure is not None)
        assert ((guest, known.session.user_id) in await departures(connection)) != became


async def test_what_is_a_guests_follows_and_follows_once_more_when_no_token_is_good(
    auth: "AuthServiceAsyncStub", signing_in: Any, keepers: Keepers, connection: asyncpg.Connection
) -> None:
    """Whatever a token of the guest has made meanwhile comes along; then nothing is known of it any more."""
    owner = (await signing_in("mina")).session.user_id
    guest = (await auth.CreateGuest(pb.CreateGuestRequest())).user_id
    await signing_in("mina", guest)
    once = {(f"Transfer{what}", guest, owner) for what in ("Scans", "Characters", "Buildings")}
    await make_due(connection)
    await eventually(lambda: true_of(set(keepers.asked) == once))

    async def settled() -> bool:
        return bool(await connection.fetchval("select run_at = left_at + interval '16 minutes' from auth.departure"))

    await eventually(settled)
    keepers.asked.clear()
    await make_due(connection, tokens_expired=True)
    await over(connection)
    assert set(keepers.asked) == once


@pytest.mark.parametrize("broken", ["TransferScans", "TransferCharacters", "TransferBuildings"])
async def test_a_service_that_is_away_is_asked_until_it_answers(
    auth: "AuthServiceAsyncStub", signing_in: Any, keepers: Keepers, connection: asyncpg.Connection, broken: str
) -> None:
    """The others have done theirs meanwhile; nobody is asked in vain without a pause."""
    refused = asyncio.Event()

    async def fail(method: str) -> None:
        if method == broken:
            refused.set()
            raise Unavailable(Reason.UNAVAILABLE, peer="postgres", retry_after=1.0)

    keepers.before = fail
    await signing_in("mina")
    guest = (await auth.CreateGuest(pb.CreateGuestRequest())).user_id
    await signing_in("mina", guest)
    await make_due(connection)
    await refused.wait()

    async def put_off() -> bool:
        return bool(await connection.fetchval("select tries > 0 and run_at > now() from auth.departure"))

    await eventually(put_off)
    assert len({call[0] for call in keepers.asked}) == 2
    keepers.before = None
    await make_due(connection, tokens_expired=True)
    await over(connection)
    assert broken in {call[0] for call in keepers.asked}


async def test_one_who_dies_at_it_is_followed_by_another(
    serve: Serve, signing_in: Any, keepers: Keepers, targets: dict[str, str], port: int, connection: asyncpg.Connection
) -> None:
    """Auth ends in the middle of a call that never returns; the next process goes on, once the lease is over."""
    reached = asyncio.Event()

    async def hang(method: str) -> None:
        reached.set()
        await asyncio.Event().wait()

    keepers.before = hang
    async with keepers.serving(port):
        async with serve(**targets) as auth:
            await auth.DeleteMe(pb.DeleteMeRequest(), metadata=me("mina"))
            await reached.wait()
        assert await departures(connection) == [("mina", None)]
        keepers.before = None
        await make_due(connection, tokens_expired=True)
        async with serve(**targets):
            await over(connection)
    assert set(keepers.asked) == {(f"Erase{what}", "mina") for what in ("Scans", "Characters", "Buildings")}


async def test_an_account_that_is_deleted_is_closed_at_once(
    auth: "AuthServiceAsyncStub", signing_in: Any, keepers: Keepers, connection: asyncpg.Connection
) -> None:
    """Sessions and identities are gone with the reply, data in a moment; whoever signs in again is somebody new."""
    guest = await auth.CreateGuest(pb.CreateGuestRequest())
    user = (await signing_in("mina", guest.user_id)).session.user_id
    assert user == guest.user_id
    keepers.undone = 2
    closed = await auth.DeleteMe(pb.DeleteMeRequest(), metadata=(*me(user), ("accept-language", "en")))
    assert "closed" in closed.message
    assert closed.tokens_expire_time.seconds - closed.close_time.seconds == 16 * 60
    refresh = auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=guest.refresh_token))
    assert await reason_of(refresh) == Reason.SESSION_ENDED
    for table in ("account", "session", "identity"):
        assert await connection.fetchval(f"select count(*) from auth.{table}") == 0
    assert (await signing_in("mina")).session.user_id != user
    calls = ["EraseScans"] * 3 + ["EraseCharacters", "EraseBuildings"]
    await eventually(lambda: true_of({name for name, _ in keepers.asked} >= set(calls) and keepers.undone < 0))
    assert {who for _, who in keepers.asked} == {user}
    await make_due(connection, tokens_expired=True)
    await over(connection)


async def test_a_deletion_takes_along_what_guests_are_bringing(
    serve: Serve, signing_in: Any, keepers: Keepers, targets: dict[str, str], port: int, connection: asyncpg.Connection
) -> None:
    """A guest's data that hasn't followed its user yet goes too; and a guest who is somebody else deletes nothing."""
    async with serve(**targets) as auth:
        owner, other = [(await signing_in(name)).session.user_id for name in ("mina", "joon")]
        guest, others = [(await auth.CreateGuest(pb.CreateGuestRequest())).user_id for _ in range(2)]
        await signing_in("mina", guest)
        await signing_in("joon", others)
        await auth.DeleteMe(pb.DeleteMeRequest(), metadata=me(owner))
        await auth.DeleteMe(pb.DeleteMeRequest(), metadata=me(others))
        assert await departures(connection) == sorted([(guest, None), (owner, None), (others, other)])
        async with keepers.serving(port):
            await make_due(connection, tokens_expired=True)
            await over(connection)
    assert {call[1:] for call in keepers.asked} == {(guest,), (owner,), (others, other)}


async def test_nobody_deletes_nobody(auth: "AuthServiceAsyncStub") -> None:
    """Without an identity there is no account to close."""
    assert await reason_of(auth.DeleteMe(pb.DeleteMeRequest())) == Reason.UNAUTHENTICATED


def test_pauses_grow_to_five_minutes() -> None:
    """Each a random half of what it may be, so that replicas don't ask in step."""
    assert [Departure("a", tries=tries).pause(1.0) for tries in (0, 1, 2, 8, 9, 1000)] == [1, 2, 4, 256, 300, 300]
    assert Departure("a", tries=2).pause(0.0) == 2
