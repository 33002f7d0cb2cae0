"""The Character service over the wire."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import grpc
import pytest

from eco2.character.v1 import character_service_pb2 as pb
from eco2.character.v1.character_pb2 import Reward
from eco2.vision.v1.classification_pb2 import Category
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.character.v1.character_service_pb2_grpc import CharacterServiceAsyncStub

CAN = Category(major="재활용폐기물", middle="금속류", minor="캔류")
MINA, JOON = (("eco2-user-id", "mina"),), (("eco2-user-id", "joon"),)


def evaluation(**changes: Any) -> pb.EvaluateRewardRequest:
    facts: dict[str, Any] = {"scan_id": str(uuid4()), "category": CAN, "rule_count": 1}
    return pb.EvaluateRewardRequest(**facts | changes)


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, Reason]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), from_rpc_error(refused.value, "character").reason


async def test_a_well_sorted_can_earns_its_character(character: "CharacterServiceAsyncStub") -> None:
    """The main job: a reward that says what was earned, and the collection that shows it."""
    response = await character.EvaluateReward(evaluation(locale="en"), metadata=MINA)
    assert response.reward.outcome == Reward.OUTCOME_GRANTED
    assert (response.reward.character.character_id, response.reward.character.name) == ("metally", "Metally")
    owned = await character.ListOwnedCharacters(pb.ListOwnedCharactersRequest(locale="en"), metadata=MINA)
    assert [one.character for one in owned.characters] == [response.reward.character]
    assert owned.characters[0].first_earned_time.seconds > 0


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"category": Category(major="음식물류폐기물")}, Reward.OUTCOME_NOT_RECYCLABLE),
        ({"rule_count": 0}, Reward.OUTCOME_NO_RULES),
        ({"insufficiency_count": 2}, Reward.OUTCOME_INSUFFICIENT),
    ],
)
async def test_what_earns_nothing_says_why(
    character: "CharacterServiceAsyncStub", changes: dict[str, Any], outcome: Reward.Outcome.ValueType
) -> None:
    """No reward is an outcome, not an error, and leaves the collection empty."""
    response = await character.EvaluateReward(evaluation(**changes), metadata=MINA)
    assert response.reward.outcome == outcome
    assert not response.reward.HasField("character")
    owned = await character.ListOwnedCharacters(pb.ListOwnedCharactersRequest(), metadata=MINA)
    assert not owned.characters


async def test_the_same_scan_twice_grants_once_and_says_the_same(character: "CharacterServiceAsyncStub") -> None:
    """Scan retries the reward stage whenever a reply is lost."""
    request = evaluation()
    assert await character.EvaluateReward(request, metadata=MINA) == await character.EvaluateReward(
        request, metadata=MINA
    )


async def test_a_hundred_simultaneous_grants_make_one_row(
    character: "CharacterServiceAsyncStub", connection: asyncpg.Connection
) -> None:
    """A user who scans a whole bag of cans at once still has one character."""
    responses = await asyncio.gather(*(character.EvaluateReward(evaluation(), metadata=MINA) for _ in range(100)))
    outcomes = Counter(response.reward.outcome for response in responses)
    assert outcomes == {Reward.OUTCOME_GRANTED: 1, Reward.OUTCOME_ALREADY_OWNED: 99}
    assert await connection.fetchval("select count(*) from character.owned_character") == 1


async def test_a_hundred_simultaneous_calls_for_one_scan_agree(
    character: "CharacterServiceAsyncStub", connection: asyncpg.Connection
) -> None:
    """However often a stage is repeated, its effect outside the pipeline happens once."""
    request = evaluation()
    responses = await asyncio.gather(*(character.EvaluateReward(request, metadata=MINA) for _ in range(100)))
    assert {response.reward.outcome for response in responses} == {Reward.OUTCOME_GRANTED}
    assert await connection.fetchval("select count(*) from character.owned_character") == 1


async def test_anothers_scan_is_not_found(character: "CharacterServiceAsyncStub") -> None:
    """What isn't yours doesn't exist."""
    request = evaluation()
    await character.EvaluateReward(request, metadata=MINA)
    stolen = character.EvaluateReward(request, metadata=JOON)
    assert await refusal(stolen) == (grpc.StatusCode.NOT_FOUND, Reason.SCAN_NOT_FOUND)


async def test_a_collection_counts_and_tells_first_and_last(character: "CharacterServiceAsyncStub") -> None:
    """The collection shows how often, since when and when last; only scans that earned count, and each once."""
    again = evaluation()
    for request in (evaluation(), again, again, evaluation(rule_count=0)):
        await character.EvaluateReward(request, metadata=MINA)
    await character.EvaluateReward(evaluation(), metadata=JOON)
    response = await character.ListOwnedCharacters(pb.ListOwnedCharactersRequest(), metadata=MINA)
    (owned,) = response.characters
    assert owned.count == 2
    assert owned.first_earned_time.ToNanoseconds() < owned.last_earned_time.ToNanoseconds()
    assert not response.HasField("default_character")


async def test_a_character_earned_once_was_first_earned_last(character: "CharacterServiceAsyncStub") -> None:
    """Two dates that differ by microseconds would look like two scans."""
    await character.EvaluateReward(evaluation(), metadata=MINA)
    (owned,) = (await character.ListOwnedCharacters(pb.ListOwnedCharactersRequest(), metadata=MINA)).characters
    assert (owned.count, owned.first_earned_time) == (1, owned.last_earned_time)


async def test_who_has_none_is_greeted_by_the_default_character(character: "CharacterServiceAsyncStub") -> None:
    """An empty collection still shows somebody; it isn't owned, so nothing pretends that it was earned."""
    response = await character.ListOwnedCharacters(pb.ListOwnedCharactersRequest(locale="en"), metadata=MINA)
    assert not response.characters
    assert (response.default_character.character_id, response.default_character.name) == ("eco", "Eco")


@pytest.mark.parametrize("changes", [{"user_id": " "}, {"scan_id": "42"}, {"category": None}, {"locale": "k" * 101}])
async def test_an_evaluation_with_a_bad_field_is_refused(
    character: "CharacterServiceAsyncStub", changes: dict[str, Any]
) -> None:
    """The rules in the proto hold before anything is decided."""
    call = character.EvaluateReward(evaluation(**changes), metadata=MINA)
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)


@pytest.mark.parametrize(
    ("metadata", "user_id"), [(MINA, ""), ((), "mina"), (MINA, "joon")], ids=["header", "field", "header before field"]
)
async def test_the_header_says_whose_reward_it_is_and_the_field_where_there_is_none(
    character: "CharacterServiceAsyncStub", metadata: Any, user_id: str
) -> None:
    """The user is named as in every other call; callers that knew the field alone are still understood."""
    await character.EvaluateReward(evaluation(user_id=user_id), metadata=metadata)
    (owned,) = (await character.ListOwnedCharacters(pb.ListOwnedCharactersRequest(), metadata=MINA)).characters
    assert owned.character.character_id == "metally"


async def test_a_reward_needs_a_user(character: "CharacterServiceAsyncStub") -> None:
    """Nobody can't earn anything."""
    call = character.EvaluateReward(evaluation())
    assert await refusal(call) == (grpc.StatusCode.UNAUTHENTICATED, Reason.UNAUTHENTICATED)


async def test_a_collection_needs_a_caller(character: "CharacterServiceAsyncStub") -> None:
    """Whose would it be otherwise?"""
    call = character.ListOwnedCharacters(pb.ListOwnedCharactersRequest())
    assert await refusal(call) == (grpc.StatusCode.UNAUTHENTICATED, Reason.UNAUTHENTICATED)


@pytest.mark.parametrize(
    ("requested", "accepted", "name"),
    [("", "", "페이피"), ("", "en-GB,en;q=0.9", "Papey"), ("ko", "en", "페이피"), ("en-US", "ko", "Papey")],
)
async def test_the_catalogue_speaks_the_requests_language_else_the_callers(
    character: "CharacterServiceAsyncStub", requested: str, accepted: str, name: str
) -> None:
    """A locale in the request wins over Accept-Language; without either it is Korean."""
    metadata = (("accept-language", accepted),) if accepted else ()
    response = await character.ListCharacters(pb.ListCharactersRequest(locale=requested), metadata=metadata)
    assert response.characters[0].name == name


async def test_the_catalogue_lists_everybody_with_the_default_last(character: "CharacterServiceAsyncStub") -> None:
    """The app's collection shows them in the taxonomy's order."""
    response = await character.ListCharacters(pb.ListCharactersRequest())
    assert len(response.characters) == 13
    assert [one.character_id for one in response.characters if not one.middle] == ["eco"]
    assert response.characters[-1].character_id == "eco"
