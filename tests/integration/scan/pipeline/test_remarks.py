"""What users say of their photo, through Scan and a real Rules service; only the look at the photo is told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import ListScansRequest
from eco2.vision.v1.classification_pb2 import Candidate, Category, Classification
from rules_svc.app import application
from rules_svc.settings import RulesSettings
from tests.integration.scan.client import Client, StartScanService
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import METAL, Peers

GLASS = Category(major="재활용폐기물", middle="유리병")
PAPER = Category(major="재활용폐기물", middle="종이")
BATTERY = Category(major="재활용폐기물", middle="전지", minor="건전지")
SWOLLEN = Category(major="재활용폐기물", middle="전지", minor="손상전지")
NAMES = ["금속류", "유리병", "종이"]
UNSURE = Classification(
    category=Category(major="미분류"),
    display_name="미분류",
    confidence=0.4,
    provider="offline",
    model="lite2",
    candidates=[
        Candidate(category=METAL, display_name="금속류", confidence=0.4),
        Candidate(category=GLASS, display_name="유리병", confidence=0.3),
        Candidate(category=PAPER, display_name="종이", confidence=0.1),
    ],
)


@pytest.fixture
async def client(start_scan_service: StartScanService, database_url: str) -> AsyncIterator[Client]:
    """A user of Scan beside a real Rules."""
    settings = RulesSettings(database_url=database_url, drain_seconds=0)
    async with application(settings) as rules, start_scan_service(rules_target=f"127.0.0.1:{rules.port}") as client:
        yield client


async def scanned(client: Client, **fields: Any) -> scan_pb2.Scan:
    return await client.finished(await client.started(**fields))


async def test_an_unsure_photo_shows_its_three_candidates_with_their_rules(client: Client, peers: Peers) -> None:
    """In order of confidence, behind the rule for what isn't known; the answer asks which it is."""
    peers.found = UNSURE
    scan = await scanned(client)
    assert [rule.rule_id for rule in scan.rules] == ["unknown", "metal", "glass", "paper"]
    assert [rule.candidate for rule in scan.rules[1:]] == [METAL, GLASS, PAPER]
    assert [choice for choice in scan.answer.choices if choice in NAMES] == NAMES
    assert [round(candidate.confidence, 1) for candidate in scan.classification.candidates] == [0.4, 0.3, 0.1]
    replied = await client.reply(scan.scan_id, NAMES[1])
    assert (replied.understood, replied.scan.classification.category) == (True, GLASS)
    assert not any(rule.HasField("candidate") for rule in replied.scan.rules)


@pytest.mark.parametrize(
    ("words", "locale", "name"),
    [("부푼 보조배터리예요", "ko", "부푼 보조배터리"), ("it's a swollen power bank", "en", "swollen")],
)
async def test_words_name_what_an_unsure_photo_shows(
    client: Client, peers: Peers, words: str, locale: str, name: str
) -> None:
    """Rules, answer and reward are the named thing's; what was seen is kept beside it."""
    peers.found = UNSURE
    scan = await scanned(client, user_input=words, locale=locale)
    found = scan.classification
    assert (found.category, found.provider, list(found.tags)) == (SWOLLEN, "user", ["배터리_부풂"])
    assert found.said.category == SWOLLEN
    assert (found.seen.category.major, found.seen.provider, found.seen.model) == ("미분류", "offline", "lite2")
    assert round(found.seen.confidence, 1) == 0.4
    assert not found.candidates
    assert scan.rules[0].rule_id in scan.answer.rule_ids
    assert scan.answer.rule_ids[0] != "unknown"
    assert peers.calls["Classify"] == 1
    assert await client.get(scan.scan_id) == scan


async def test_a_situation_that_is_told_changes_the_rule(client: Client, peers: Peers) -> None:
    """And is shown where it did."""
    peers.found = Classification(category=PAPER, display_name="종이", confidence=0.9, provider="offline")
    scan = await scanned(client, user_input="기름이 잔뜩 묻었어요")
    assert list(scan.classification.tags) == ["기름_묻음"]
    assert "기름_묻음" in scan.rules[0].applied_tags
    assert (scan.classification.category, scan.classification.provider) == (PAPER, "offline")


async def test_a_sure_photo_that_the_words_contradict_is_asked_about(client: Client, peers: Peers) -> None:
    """Not overruled: a reply settles it, either way."""
    peers.found = Classification(category=GLASS, display_name="유리병", confidence=0.9, provider="offline")
    scan = await scanned(client, user_input="건전지예요")
    assert (scan.classification.category, scan.classification.said.category) == (GLASS, BATTERY)
    named = scan.classification.said.display_name
    assert f"‘{named}’라고 쓰셨어요" in scan.answer.insufficiencies[0]
    assert list(scan.answer.choices) == ["유리병", named]
    other = await scanned(client, user_input="건전지예요")
    kept = (await client.reply(scan.scan_id, "유리병")).scan
    assert (kept.classification.category, list(kept.answer.insufficiencies)) == (GLASS, [])
    corrected = (await client.reply(other.scan_id, named)).scan
    assert (corrected.classification.category, list(corrected.answer.insufficiencies)) == (BATTERY, [])
    assert corrected.rules[0].rule_id != kept.rules[0].rule_id


async def test_what_was_named_is_stored_before_the_answer(client: Client, peers: Peers) -> None:
    """The rules stage's checkpoint replaces what vision said, so whoever goes on answers for the named thing."""
    peers.found, gate = UNSURE, Gate()
    peers.before["EvaluateReward"] = gate
    scan = await scanned(client, user_input="건전지예요")
    assert [run.stage for run in scan.stages] == ["vision", "rules", "answer"]
    assert scan.classification.category == BATTERY
    gate.open()


@pytest.mark.parametrize(
    ("reply", "locale", "category"),
    [("아니요, 건전지예요", "ko", BATTERY), ("No, it's a battery", "en", None)],
)
async def test_a_sure_answer_is_corrected_by_its_user(
    client: Client, peers: Peers, reply: str, locale: str, category: Category | None
) -> None:
    """Rules, answer and reward follow, and history knows; vision isn't paid again."""
    peers.found = Classification(
        category=GLASS, display_name="유리병", confidence=0.9, provider="offline", model="lite2"
    )
    scan = await scanned(client, locale=locale)
    assert not scan.answer.insufficiencies
    corrected = (await client.reply(scan.scan_id, reply, may_learn=True)).scan
    assert corrected.classification.category.middle == "전지"
    if category:
        assert corrected.classification.category == category
    assert (corrected.classification.provider, corrected.classification.seen.category) == ("user", GLASS)
    assert corrected.rules[0].rule_id != scan.rules[0].rule_id
    assert corrected.answer.text != scan.answer.text
    assert corrected.version > scan.version
    assert (peers.calls["Classify"], peers.calls["EvaluateReward"]) == (1, 2)
    assert await client.get(scan.scan_id) == corrected
    [listed] = (await client.stub.ListScans(ListScansRequest(), metadata=client.metadata)).scans
    assert listed == corrected


@pytest.mark.parametrize(("reply", "locale"), [("틀렸어요", "ko"), ("that's wrong", "en")])
async def test_who_only_says_that_it_is_wrong_is_asked_what_it_is(
    client: Client, peers: Peers, reply: str, locale: str
) -> None:
    """Among what else the classifier had thought of, each with its rule."""
    peers.found = Classification(
        category=GLASS,
        display_name="유리병",
        confidence=0.9,
        provider="offline",
        candidates=[Candidate(category=GLASS, confidence=0.9), Candidate(category=METAL, confidence=0.1)],
    )
    scan = await scanned(client, locale=locale)
    denied = (await client.reply(scan.scan_id, reply)).scan
    assert denied.classification.category.major == "미분류"
    assert [rule.rule_id for rule in denied.rules] == ["unknown", "metal"]
    assert denied.answer.insufficiencies
    named = (await client.reply(scan.scan_id, "종이" if locale == "ko" else "paper")).scan
    assert named.classification.category == PAPER
    assert named.classification.seen.category == GLASS


async def test_a_state_that_a_reply_tells_changes_the_rule(client: Client, peers: Peers) -> None:
    """Whether or not anything was asked."""
    peers.found = Classification(category=PAPER, display_name="종이", confidence=0.9, provider="offline")
    scan = await scanned(client)
    told = (await client.reply(scan.scan_id, "기름이 잔뜩 묻었어요")).scan
    assert list(told.classification.tags) == ["기름_묻음"]
    assert "기름_묻음" in told.rules[0].applied_tags


async def test_what_was_seen_under_a_category_that_has_moved_is_still_answered(client: Client, peers: Peers) -> None:
    """A dead letter that is replayed, or a model of before; the photo said it, not the user."""
    foil = Category(major="재활용폐기물", middle="금속류", minor="알루미늄포일")
    peers.found = Classification(
        category=foil, display_name="은박지", confidence=0.9, provider="offline", model="lite2"
    )
    scan = await scanned(client)
    assert scan.classification.category == Category(major="일반종량제폐기물", minor="알루미늄포일")
    assert (scan.classification.provider, scan.classification.HasField("seen")) == ("offline", False)
    assert "종량제봉투" in scan.rules[0].container
    assert (await client.reply(scan.scan_id, "아니요, 건전지예요")).scan.classification.category == BATTERY
