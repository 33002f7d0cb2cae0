"""Rules and the answer made from them in one call: what the two calls say, over the wire and within the process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime
from typing import Any, cast

import grpc
import pytest
import pytest_asyncio

from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceStub
from mesh.grpc.client import IN_PROCESS, open_channel
from mesh.grpc.host import hosting
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from rules_svc.app import NAME, application
from rules_svc.loading.reloader import LoadedRulebook
from rules_svc.settings import RulesSettings
from scan_svc.mirrors.places import LatLng
from scan_svc.mirrors.rules import Answer, MatchedRules
from scan_svc.mirrors.vision import UNRECOGNISED, Candidate, Category, Classification
from scan_svc.pipeline.clients import RulesPeer
from scan_svc.pipeline.spending import Spending
from scan_svc.scans import Photo, Scan, State

pytestmark = pytest.mark.asyncio(loop_scope="module")

PET = Classification(Category("재활용폐기물", "플라스틱류", "페트병"), "페트병", warning="뾰족해요", confidence=0.9)
WIDE = Classification(Category("재활용폐기물", "플라스틱류"), "플라스틱류", warning="뾰족해요")
UNSURE = Classification(
    Category(UNRECOGNISED),
    candidates=(
        Candidate(Category("재활용폐기물", "전지"), "전지", 0.4),
        Candidate(Category("재활용폐기물", "유리병"), "유리로 된 병", 0.3),
    ),
)
REMARKS = (
    "", "건전지예요", "기름이 묻었는데 어디에 버려요?", "뚜껑도 같이 버려요?", "병인 것 같아요", "상자 같은 거",
    "투명한 페트병이에요", "여러 가지가 섞여 있어요",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["wire", "in-process"])
async def channel(request: pytest.FixtureRequest) -> AsyncIterator[grpc.aio.Channel]:
    """To a running Rules, which needs no database for this."""
    settings = RulesSettings(
        database_url="postgresql://nobody:nothing@127.0.0.1:1/none", sample_places=False, drain_seconds=0
    )
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(hosting(settings))
        await stack.enter_async_context(application(settings, host))
        await host.start()
        target = IN_PROCESS if request.param == "in-process" else f"127.0.0.1:{host.port}"
        yield await stack.enter_async_context(open_channel("scan", target, NAME, host=host))


def peer(channel: grpc.aio.Channel) -> RulesPeer:
    """Rules as the pipeline sees it; nothing is paid here, so that nobody asks what was spent."""
    return RulesPeer(channel, Spending(cast(Any, None)))


def scan(**said: Any) -> Scan:
    photo = Photo("https://example.com/1.jpg")
    fields = {"scan_id": "1", "user_id": "user", "state": State.RUNNING, "version": 1, "created_at": datetime.now(UTC)}
    return Scan(photo=photo, **fields, **said)


async def in_two_calls(rules: RulesPeer, scan: Scan, found: Classification) -> list[object]:
    matched = await rules.match(scan, found, scan.user_input, 5.0)
    async with aclosing(rules.compose(scan, matched.found, matched.rules, 5.0)) as written:
        return [matched, *[event async for event in written]]


async def in_one_call(rules: RulesPeer, scan: Scan, found: Classification) -> list[object]:
    async with aclosing(rules.advise(scan, found, 5.0)) as events:
        return [event async for event in events]


@pytest.mark.parametrize("remark", REMARKS)
@pytest.mark.parametrize("found", [PET, WIDE, UNSURE], ids=["sure", "wide", "unsure"])
async def test_one_call_says_what_two_do(channel: grpc.aio.Channel, found: Classification, remark: str) -> None:
    """The user's words change classification, rules and answer alike, wherever they are worked in."""
    rules, asked = peer(channel), scan(user_input=remark, region="서울특별시/마포구")
    matched, *written = together = await in_one_call(rules, asked, found)
    assert isinstance(matched, MatchedRules)
    assert isinstance(written[-1], Answer)
    assert together == await in_two_calls(rules, asked, found)


async def test_that_holds_for_everything_in_the_rule_book(channel: grpc.aio.Channel) -> None:
    """Also for categories of earlier editions, which photos were given before the rule book changed."""
    taxonomy = LoadedRulebook.load().book.taxonomy
    paths = [path for node in taxonomy for path in (node.path, *node.former)]
    former = [path for node in taxonomy for path in node.former]
    rules, here = peer(channel), LatLng(37.5560, 126.9235)
    for number, path in enumerate([*former, *paths[::9]]):
        levels = [path[0], "", path[1]] if len(path) == 2 and not taxonomy[path[:1]].children[0].children else path
        found = Classification(Category(*levels), "이름", said=UNSURE.candidates[0] if number % 2 else None)
        asked = scan(user_input=REMARKS[number % len(REMARKS)], location=here, locale="en" if number % 3 else "ko")
        assert await in_one_call(rules, asked, found) == await in_two_calls(rules, asked, found), path


@pytest.mark.parametrize(
    ("request_", "code", "reason"),
    [
        ({}, grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD),
        ({"classification": {}}, grpc.StatusCode.NOT_FOUND, Reason.CATEGORY_UNKNOWN),
        ({"classification": {"candidates": [{}]}}, grpc.StatusCode.NOT_FOUND, Reason.CATEGORY_UNKNOWN),
        ({"classification": {"category": {"major": "달"}}}, grpc.StatusCode.NOT_FOUND, Reason.CATEGORY_UNKNOWN),
        (
            {"classification": {"category": {"major": "미분류"}, "tags": ["달에_있음"]}},
            grpc.StatusCode.INVALID_ARGUMENT,
            Reason.TAG_UNKNOWN,
        ),
        (
            {"classification": {"category": {"major": "미분류"}}, "location": {"latitude": 200, "longitude": 1}},
            grpc.StatusCode.INVALID_ARGUMENT,
            Reason.INVALID_FIELD,
        ),
        (
            {"classification": {"category": {"major": "미분류"}}, "user_input": "가" * 501},
            grpc.StatusCode.INVALID_ARGUMENT,
            Reason.INVALID_FIELD,
        ),
    ],
    ids=["nothing", "no category", "nameless candidate", "no such category", "no such tag", "no such place", "long"],
)
async def test_what_has_no_rules_has_no_answer(
    channel: grpc.aio.Channel, request_: dict[str, Any], code: grpc.StatusCode, reason: Reason
) -> None:
    """The stream ends before its first message, with the reason that MatchRules would give."""
    call = RulesServiceStub(channel).AdviseDisposal(pb.AdviseDisposalRequest(**request_), timeout=5.0)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()
    assert (refused.value.code(), from_rpc_error(refused.value, "rules").reason) == (code, reason)
