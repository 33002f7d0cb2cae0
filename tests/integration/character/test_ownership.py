"""Characters that become another user's, or go: as Auth asks for it, over the wire."""

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import grpc
import pytest

from eco2.character.v1 import character_service_pb2 as pb
from eco2.character.v1.character_pb2 import Reward
from eco2.vision.v1.classification_pb2 import Category

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.character.v1.character_service_pb2_grpc import CharacterServiceAsyncStub

GUEST, MINA, JOON = "a guest", "mina", "joon"
CAN, BOTTLE = "금속류", "유리병"


async def earned(
    character: "CharacterServiceAsyncStub", who: str, middle: str = CAN, scan_id: str = "", *, corrected: bool = False
) -> Reward.Outcome.ValueType:
    category = Category(major="재활용폐기물", middle=middle)
    scan = scan_id or str(uuid4())
    request = pb.EvaluateRewardRequest(scan_id=scan, category=category, rule_count=1, corrected=corrected)
    return (await character.EvaluateReward(request, metadata=(("eco2-user-id", who),))).reward.outcome


async def collection(character: "CharacterServiceAsyncStub", who: str) -> dict[str, tuple[int, int]]:
    """How often each character was earned and when first, in nanoseconds."""
    request = pb.ListOwnedCharactersRequest()
    owned = await character.ListOwnedCharacters(request, metadata=(("eco2-user-id", who),))
    return {one.character.character_id: (one.count, one.first_earned_time.ToNanoseconds()) for one in owned.characters}


async def transfer(character: "CharacterServiceAsyncStub", to: str = MINA) -> None:
    request = pb.TransferCharactersRequest(from_user_id=GUEST, to_user_id=to)
    assert (await character.TransferCharacters(request)).done


async def test_collections_merge_into_one_row_a_character(character: "CharacterServiceAsyncStub") -> None:
    """The earlier day stays, both count, and doing it again changes nothing. Somebody else's stays as it is."""
    for who, middle in ((GUEST, CAN), (MINA, CAN), (GUEST, BOTTLE), (JOON, CAN)):
        assert await earned(character, who, middle) == Reward.OUTCOME_GRANTED
    first = (await collection(character, GUEST))["metally"][1]
    others = await collection(character, JOON)
    for _ in range(2):
        await transfer(character)
        merged = await collection(character, MINA)
        assert {name: count for name, (count, _) in merged.items()} == {"metally": 2, "glassy": 1}
        assert merged["metally"][1] == first
        assert await collection(character, GUEST) == {}
    assert await collection(character, JOON) == others


async def test_what_is_earned_afterwards_is_the_new_owners(character: "CharacterServiceAsyncStub") -> None:
    """A scan in flight is evaluated for who it began with; repeated, it tells the same, and a correction counts too."""
    await transfer(character)
    scan = str(uuid4())
    assert await earned(character, GUEST, scan_id=scan) == Reward.OUTCOME_GRANTED
    assert await earned(character, GUEST, scan_id=scan) == Reward.OUTCOME_GRANTED
    assert await earned(character, MINA, scan_id=scan) == Reward.OUTCOME_GRANTED
    assert await earned(character, GUEST, BOTTLE, scan, corrected=True) == Reward.OUTCOME_GRANTED
    assert await earned(character, GUEST, BOTTLE, scan, corrected=True) == Reward.OUTCOME_GRANTED
    assert {name: count for name, (count, _) in (await collection(character, MINA)).items()} == {
        "metally": 1,
        "glassy": 1,
    }
    assert await collection(character, GUEST) == {}


async def test_transfers_at_once_move_each_character_once(character: "CharacterServiceAsyncStub") -> None:
    """Two replicas of Auth may both be at it."""
    await asyncio.gather(*(earned(character, GUEST, middle) for middle in (CAN, BOTTLE)))
    await asyncio.gather(*(transfer(character) for _ in range(8)))
    assert {name: count for name, (count, _) in (await collection(character, MINA)).items()} == {
        "metally": 1,
        "glassy": 1,
    }


async def test_to_oneself_nothing_moves(character: "CharacterServiceAsyncStub") -> None:
    """Else a collection would be gone by merging it with itself."""
    await earned(character, GUEST)
    await transfer(character, GUEST)
    assert list(await collection(character, GUEST)) == ["metally"]


async def test_what_is_erased_is_in_no_table(
    character: "CharacterServiceAsyncStub", connection: asyncpg.Connection
) -> None:
    """Rewards that earned nothing and moves included; somebody else's stays."""
    scan = str(uuid4())
    await transfer(character)
    await earned(character, MINA, scan_id=scan)
    await earned(character, MINA, BOTTLE, scan, corrected=True)
    await earned(character, MINA, "음식물")
    await earned(character, JOON)
    assert await rows_of(connection, MINA) > 3
    kept = await rows_of(connection, JOON)
    for _ in range(2):
        assert (await character.EraseCharacters(pb.EraseCharactersRequest(user_id=MINA))).done
        assert await rows_of(connection, MINA) == 0
    assert await rows_of(connection, JOON) == kept > 0


@pytest.mark.parametrize("bad", [{}, {"from_user_id": "a"}, {"from_user_id": "a", "to_user_id": " b"}], ids=str)
async def test_without_two_users_nothing_moves(character: "CharacterServiceAsyncStub", bad: dict[str, Any]) -> None:
    """A call that was put together wrongly must not move everybody's."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await character.TransferCharacters(pb.TransferCharactersRequest(**bad))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def rows_of(connection: asyncpg.Connection, user: str) -> int:
    tables = await connection.fetch(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'character' and column_name in ('user_id', 'from_user', 'to_user')"
    )
    assert tables
    counts = [
        await connection.fetchval(f"select count(*) from character.{table} where {column} = $1", user)
        for table, column in tables
    ]
    return sum(counts)
