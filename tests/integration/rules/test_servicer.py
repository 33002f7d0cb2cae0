"""The Rules service over the wire."""

import unicodedata
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.type.latlng_pb2 import LatLng

from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1.disposal_pb2 import Answer, AppliedRegion
from eco2.vision.v1.classification_pb2 import Candidate, Category, Classification, DetectedObject
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceAsyncStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

PET = Category(major="재활용폐기물", middle="플라스틱류", minor="페트병")
UNKNOWN = Category(major="미분류")
MAPO = LatLng(latitude=37.5560, longitude=126.9235)
ENGLISH = (("accept-language", "en-GB,en;q=0.9"),)


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, Reason, dict[str, str]]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    error = from_rpc_error(refused.value, "rules")
    return refused.value.code(), error.reason, error.metadata


async def compose(rules: "RulesServiceAsyncStub", request: pb.ComposeAnswerRequest) -> Answer:
    """The composed answer, which comes whole."""
    [event] = [event async for event in rules.ComposeAnswer(request)]
    return event.answer


async def test_the_taxonomy_is_told_in_both_languages(rules: "RulesServiceAsyncStub") -> None:
    """Keys stay Korean, names follow the caller; the request's locale wins over the header."""
    korean = await rules.GetTaxonomy(pb.GetTaxonomyRequest())
    english = await rules.GetTaxonomy(pb.GetTaxonomyRequest(), metadata=ENGLISH)
    assert [major.key for major in korean.majors] == [major.key for major in english.majors]
    assert (korean.majors[0].display_name, english.majors[0].display_name) == ("재활용품", "Recyclables")
    assert await rules.GetTaxonomy(pb.GetTaxonomyRequest(locale="ko"), metadata=ENGLISH) == korean
    assert len(korean.tags) == len(english.tags) >= 25


async def test_rules_are_matched_with_their_version_and_region(rules: "RulesServiceAsyncStub") -> None:
    """What to do, and on which days there; and how far to trust it."""
    request = pb.MatchRulesRequest(category=PET, tags=["무색_투명"], region="서울특별시/마포구", locale="en")
    response = await rules.MatchRules(request)
    assert [rule.rule_id for rule in response.rules] == ["clear_pet", "plastic.pet", "plastic", "recyclables"]
    followed = response.rules[0]
    assert followed.category == Category(major="재활용폐기물", middle="무색페트병")
    assert followed.title == "Clear PET bottle"
    assert list(followed.applied_tags) == ["무색_투명"]
    assert followed.source
    taxonomy = await rules.GetTaxonomy(pb.GetTaxonomyRequest())
    assert (response.rulebook_version, response.applied_region) == (taxonomy.rulebook_version, "서울특별시/마포구")
    region = response.region
    assert (region.code, region.level, region.display_name) == ("11440", AppliedRegion.LEVEL_CITY, "Mapo-gu, Seoul")
    assert (region.as_of, region.verified) == ("2026-07-03", False)
    assert region.source
    assert followed.when.startswith("Wednesday evening only")
    assert "As of 3 July 2026" in followed.when
    assert "clear bag" in followed.place


async def test_a_region_nobody_knows_is_no_error(rules: "RulesServiceAsyncStub") -> None:
    """The national rule helps, and the response says that it is the national one."""
    response = await rules.MatchRules(pb.MatchRulesRequest(category=PET, region="아틀란티스"))
    assert (response.applied_region, response.region.asked) == ("대한민국", "")
    assert "아틀란티스" in response.region.notice


async def test_where_somebody_is_decides_when_they_named_no_region(rules: "RulesServiceAsyncStub") -> None:
    """A phone knows where it is."""
    response = await rules.MatchRules(pb.MatchRulesRequest(category=PET, location=MAPO))
    assert (response.applied_region, response.region.asked) == ("서울특별시/마포구", "서울특별시/마포구")


async def test_a_reply_is_interpreted_by_the_closed_questions(rules: "RulesServiceAsyncStub") -> None:
    """What Scan does with a user's reply, before it matches and composes anew."""
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=PET))
    found = Classification(category=PET, display_name="페트병", warning="구분하지 못해요", confidence=0.7)
    request = pb.InterpretReplyRequest(classification=found, rules=matched.rules, reply="투명한 생수병이에요")
    settled = await rules.InterpretReply(request)
    assert settled.understood
    assert settled.classification.category == Category(major="재활용폐기물", middle="무색페트병")
    assert (settled.classification.provider, settled.classification.warning) == ("user", "")
    unclear = await rules.InterpretReply(
        pb.InterpretReplyRequest(classification=found, rules=matched.rules, reply="글쎄요")
    )
    assert (unclear.understood, unclear.classification) == (False, found)
    assert unclear.message


async def test_a_category_that_has_moved_is_understood_wherever_it_was_stored(rules: "RulesServiceAsyncStub") -> None:
    """Rules, replies, answers and evenings for scans of before; foil was metal once."""
    stored = Category(major="재활용폐기물", middle="금속류", minor="알루미늄포일")
    today = Category(major="일반종량제폐기물", minor="알루미늄포일")
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=stored))
    assert (matched.category, matched.rules[0].category) == (today, today)
    unsure = await rules.MatchRules(pb.MatchRulesRequest(category=UNKNOWN, candidates=[stored]))
    assert [one.category for one in unsure.candidates] == [today]
    found = Classification(category=stored, display_name="알루미늄 포일", confidence=0.7)
    asked = pb.InterpretReplyRequest(classification=found, rules=matched.rules, reply="네 맞아요")
    confirmed = await rules.InterpretReply(asked)
    assert confirmed.verdict == pb.InterpretReplyResponse.VERDICT_CONFIRMED
    assert not confirmed.classification.HasField("seen")
    assert (await compose(rules, pb.ComposeAnswerRequest(classification=found, rules=matched.rules))).text
    assert await rules.PlanEvening(pb.PlanEveningRequest(things=[pb.Waste(category=stored)]))


async def test_a_user_s_words_steer_the_rules(rules: "RulesServiceAsyncStub") -> None:
    """What they name is taken where the photo shows nothing for sure; what they tell of its state is worked in."""
    request = pb.MatchRulesRequest(category=UNKNOWN, user_input="부푼 보조배터리예요", candidates=[PET])
    response = await rules.MatchRules(request)
    assert response.category == Category(major="재활용폐기물", middle="전지", minor="손상전지")
    assert list(response.tags) == ["배터리_부풂"]
    assert (response.said.category, response.said.display_name) == (response.category, response.display_name)
    assert not response.candidates
    assert not any(rule.HasField("candidate") for rule in response.rules)


async def test_words_against_a_sure_photo_are_handed_on(rules: "RulesServiceAsyncStub") -> None:
    """The rules stay the photo's; the answer asks which it is, in the reader's language."""
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=PET, user_input="It's a battery", locale="en"))
    assert (matched.category, matched.rules[0].rule_id) == (PET, "plastic.pet")
    assert matched.said.category.middle == "전지"
    found = Classification(category=PET, display_name=matched.display_name, said=matched.said)
    answer = await compose(
        rules,
        pb.ComposeAnswerRequest(classification=found, rules=matched.rules, question="It's a battery", locale="en"),
    )
    assert matched.said.display_name in answer.insufficiencies[0]
    assert list(answer.choices) == [matched.display_name, matched.said.display_name]


async def test_each_candidate_of_an_unsure_photo_has_its_rule(rules: "RulesServiceAsyncStub") -> None:
    """Behind the rule for what isn't known, in their order; one that this rule book doesn't know is left out."""
    metal, stone = Category(major="재활용폐기물", middle="금속류"), Category(major="재활용폐기물", middle="석재")
    request = pb.MatchRulesRequest(category=UNKNOWN, candidates=[metal, stone, PET])
    response = await rules.MatchRules(request)
    assert [rule.rule_id for rule in response.rules] == ["unknown", "metal", "plastic.pet"]
    assert [rule.candidate for rule in response.rules[1:]] == [metal, PET]
    assert [candidate.category for candidate in response.candidates] == [metal, PET]
    assert all(candidate.display_name for candidate in response.candidates)
    again = await rules.MatchRules(pb.MatchRulesRequest(category=UNKNOWN))
    assert len(again.rules) == 1  # what is kept for others wasn't touched


async def test_what_people_say_of_its_state_changes_tags_and_rule(rules: "RulesServiceAsyncStub") -> None:
    """Search tells the tags it read; a reply sets them, or takes them back."""
    bottle = Category(major="재활용폐기물", middle="유리병")
    found = await rules.SearchItems(pb.SearchItemsRequest(q="깨진 유리병"))
    assert "깨짐" in found.items[0].tags
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=bottle))
    request = pb.InterpretReplyRequest(
        classification=Classification(category=bottle), rules=matched.rules, reply="병이 깨졌어요"
    )
    told = await rules.InterpretReply(request)
    assert (told.understood, list(told.classification.tags)) == (True, ["깨짐"])
    changed = await rules.MatchRules(pb.MatchRulesRequest(category=bottle, tags=told.classification.tags))
    assert changed.rules[0].category.major == "불연성종량제폐기물"
    # A keyboard that sends Korean syllables as letters says the same.
    request.reply = unicodedata.normalize("NFD", "안 깨졌어요")
    request.classification.tags[:] = ["깨짐"]
    denied = await rules.InterpretReply(request)
    assert (denied.understood, list(denied.classification.tags)) == (True, [])


async def test_a_reply_may_correct_what_is_sure(rules: "RulesServiceAsyncStub") -> None:
    """The reply is the classification from then on; who only says that it is wrong is asked among candidates."""
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=PET))
    flask = Candidate(
        category=Category(major="재활용폐기물", middle="금속류", minor="금속텀블러"), display_name="텀블러"
    )
    found = Classification(
        category=PET, display_name="페트병", confidence=0.98, candidates=[Candidate(category=PET), flask]
    )
    request = pb.InterpretReplyRequest(classification=found, rules=matched.rules, reply="아니요, 건전지예요")
    corrected = await rules.InterpretReply(request)
    assert corrected.verdict == pb.InterpretReplyResponse.VERDICT_CORRECTED
    assert corrected.classification.category == Category(major="재활용폐기물", middle="전지", minor="건전지")
    assert (corrected.classification.provider, list(corrected.classification.candidates)) == ("user", [])
    request.reply = "틀렸어요"
    denied = await rules.InterpretReply(request)
    assert denied.verdict == pb.InterpretReplyResponse.VERDICT_DENIED
    assert denied.classification.category == Category(major="미분류")
    assert list(denied.classification.candidates) == [flask]
    assert "텀블러" in denied.message
    request.reply = "네 맞아요"
    confirmed = await rules.InterpretReply(request)
    assert (confirmed.understood, confirmed.classification) == (True, found)
    assert confirmed.verdict == pb.InterpretReplyResponse.VERDICT_CONFIRMED


async def test_the_unclassified_has_a_rule_too(rules: "RulesServiceAsyncStub") -> None:
    """An abstaining classifier mustn't end the scan in an error."""
    response = await rules.MatchRules(pb.MatchRulesRequest(category=Category(major="미분류")))
    assert [rule.rule_id for rule in response.rules] == ["unknown"]


@pytest.mark.parametrize(
    ("request_", "code", "reason", "metadata"),
    [
        (
            pb.MatchRulesRequest(category=Category(major="재활용폐기물", middle="석재")),
            grpc.StatusCode.NOT_FOUND,
            Reason.CATEGORY_UNKNOWN,
            {"category": "재활용폐기물/석재"},
        ),
        (
            pb.MatchRulesRequest(category=PET, tags=["반짝임"]),
            grpc.StatusCode.INVALID_ARGUMENT,
            Reason.TAG_UNKNOWN,
            {"tag": "반짝임"},
        ),
        (
            pb.MatchRulesRequest(category=PET, user_input="가" * 501),
            grpc.StatusCode.INVALID_ARGUMENT,
            Reason.INVALID_FIELD,
            {"fields": "user_input"},
        ),
        (
            pb.MatchRulesRequest(category=UNKNOWN, candidates=[PET] * 4),
            grpc.StatusCode.INVALID_ARGUMENT,
            Reason.INVALID_FIELD,
            {"fields": "candidates"},
        ),
        (
            pb.MatchRulesRequest(),
            grpc.StatusCode.INVALID_ARGUMENT,
            Reason.INVALID_FIELD,
            {"fields": "category"},
        ),
    ],
)
async def test_what_the_book_doesn_t_know_is_refused(
    rules: "RulesServiceAsyncStub",
    request_: pb.MatchRulesRequest,
    code: grpc.StatusCode,
    reason: Reason,
    metadata: dict[str, str],
) -> None:
    """With a reason a client can act on."""
    assert await refusal(rules.MatchRules(request_)) == (code, reason, metadata)


@pytest.mark.parametrize(("locale", "first"), [("ko", "물로 헹궈요.\n"), ("en", "Rinse it with water.\n")])
async def test_an_answer_stands_on_the_matched_rules(rules: "RulesServiceAsyncStub", locale: str, first: str) -> None:
    """What Scan does: match, then compose from exactly those rules."""
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=PET, locale=locale))
    classification = Classification(category=PET, display_name=matched.rules[0].title)
    request = pb.ComposeAnswerRequest(
        classification=classification, rules=matched.rules, question="꼭 헹궈야 하나요?", locale=locale
    )
    answer = await compose(rules, request)
    assert answer.text.startswith(first)
    assert list(answer.rule_ids) == ["plastic.pet"]
    assert (len(answer.insufficiencies), answer.provider) == (1, "composed")


async def test_an_answer_needs_a_rule(rules: "RulesServiceAsyncStub") -> None:
    """Without one there would be nothing to stand on."""
    call = compose(rules, pb.ComposeAnswerRequest(classification=Classification(category=PET)))
    assert (await refusal(call))[1] is Reason.INVALID_FIELD


async def test_the_nearest_places_are_found(rules: "RulesServiceAsyncStub") -> None:
    """Nearest first, marked as samples, with distance and walking time, in the caller's language."""
    request = pb.FindPlacesRequest(location=MAPO, materials=["전지"], locale="en")
    found = (await rules.FindPlaces(request)).places
    assert [place.kind for place in found] == ["battery_box", "recycling_centre"]
    assert found[0].distance_meters < found[1].distance_meters <= 3000
    assert found[0].walking_minutes == 4
    assert all(place.is_sample and "Sample" in place.name for place in found)
    assert "전지" in found[0].materials
    assert found[0].location.latitude == pytest.approx(37.5572)


async def test_no_place_in_reach_is_an_empty_list(rules: "RulesServiceAsyncStub") -> None:
    """That there is none is an answer, not an error."""
    request = pb.FindPlacesRequest(location=LatLng(latitude=10, longitude=10))
    assert not (await rules.FindPlaces(request)).places


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "location"),
        ({"location": LatLng(latitude=91, longitude=127)}, "location"),
        ({"location": LatLng(latitude=37.55)}, "location"),
        ({"location": LatLng(latitude=91)}, "location"),
        ({"location": MAPO, "radius_meters": 50_001}, "radius_meters"),
        ({"location": MAPO, "limit": 0}, "limit"),
        ({"location": MAPO, "materials": ["석재"]}, "materials[0]"),
    ],
)
async def test_a_search_that_can_t_be_meant_is_refused(
    rules: "RulesServiceAsyncStub", fields: dict[str, Any], named: str
) -> None:
    """The field is named, so that a client can tell its user."""
    code, reason, metadata = await refusal(rules.FindPlaces(pb.FindPlacesRequest(**fields)))
    assert (code, reason, metadata) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD, {"fields": named})


def _object(object_id: str, category: Category, *tags: str) -> DetectedObject:
    return DetectedObject(object_id=object_id, category=category, display_name=category.minor, tags=tags)


CAN = Category(major="재활용폐기물", middle="금속류", minor="음료캔")
BATTERY = Category(major="재활용폐기물", middle="전지", minor="보조배터리")


async def test_several_things_are_matched_at_once(rules: "RulesServiceAsyncStub") -> None:
    """Each by its own category and situation; what the user says is of the main one alone."""
    things = [_object("1", PET), _object("2", CAN, "깨짐"), _object("3", BATTERY), _object("4", UNKNOWN)]
    asked = {"category": PET, "region": "서울특별시/마포구", "user_input": "투명한 생수병이에요"}
    alone = await rules.MatchRules(pb.MatchRulesRequest(**asked))
    together = await rules.MatchRules(pb.MatchRulesRequest(**asked, objects=things))
    assert list(together.rules) == list(alone.rules)
    assert [rule.object_id for rule in together.object_rules] == ["1", "2", "3", "4"]
    first, can, battery, unknown = together.object_rules
    assert (first.rule_id, first.steps) == (alone.rules[0].rule_id, alone.rules[0].steps)
    own = await rules.MatchRules(pb.MatchRulesRequest(category=CAN, tags=["깨짐"], region="서울특별시/마포구"))
    assert (can.rule_id, can.container, can.when) == (own.rules[0].rule_id, own.rules[0].container, own.rules[0].when)
    assert battery.hazards
    assert unknown.category == UNKNOWN
    assert not any(rule.object_id for rule in (*together.rules, *alone.rules))


async def test_of_two_alike_the_first_is_the_main_one(rules: "RulesServiceAsyncStub") -> None:
    """Else the words of its user would change a thing that they weren't said of."""
    things = [_object("1", PET), _object("2", PET)]
    matched = await rules.MatchRules(
        pb.MatchRulesRequest(category=PET, user_input="라벨이 붙어 있어요", objects=things)
    )
    first, second = matched.object_rules
    assert list(first.applied_tags) == list(matched.rules[0].applied_tags) != []
    assert not second.applied_tags


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"objects": [_object("1", CAN, "반짝임")]}, Reason.TAG_UNKNOWN),
        ({"objects": [_object("1", Category(major="석재"))]}, Reason.CATEGORY_UNKNOWN),
        ({"objects": [DetectedObject(object_id="1")]}, Reason.INVALID_FIELD),
        ({"objects": [_object(str(number), CAN) for number in range(21)]}, Reason.INVALID_FIELD),
    ],
    ids=["tag", "category", "none", "many"],
)
async def test_a_thing_that_can_t_be_is_refused(
    rules: "RulesServiceAsyncStub", wrong: dict[str, Any], reason: Reason
) -> None:
    """With the reason that the same has for one thing."""
    assert (await refusal(rules.MatchRules(pb.MatchRulesRequest(category=PET, **wrong))))[1] is reason


@pytest.mark.parametrize(("locale", "line"), [("ko", "· 음료캔: 캔·고철 수거함"), ("en", "· 음료캔: the bin for cans")])
async def test_an_answer_says_where_each_thing_goes(rules: "RulesServiceAsyncStub", locale: str, line: str) -> None:
    """And warns of what is dangerous among them; what isn't known is left to the user."""
    things = [_object("1", PET), _object("2", CAN), _object("3", BATTERY), _object("4", UNKNOWN), _object("5", CAN)]
    classification = Classification(category=PET, tags=["다수_품목_혼합"], objects=things)
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=PET, objects=things, locale=locale))
    answer = await compose(
        rules,
        pb.ComposeAnswerRequest(
            classification=classification, rules=matched.rules, object_rules=matched.object_rules, locale=locale
        ),
    )
    told = answer.how.splitlines()
    assert sum(one.startswith(line) for one in told) == 1
    assert sum(one.startswith("·") for one in told) == 2
    dangers = dict.fromkeys(hazard for rule in matched.object_rules[:3] for hazard in rule.hazards)
    assert [one for one in told if one.startswith("⚠")] == [f"⚠ {hazard}" for hazard in dangers]
    assert answer.text.startswith(answer.how)


async def test_a_correction_names_the_main_thing(rules: "RulesServiceAsyncStub") -> None:
    """Its box stays; words that name another of the things mean that one."""
    things = [_object("1", PET), _object("2", CAN)]
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=PET))
    classification = Classification(category=PET, display_name="페트병", objects=things)
    asked = {"classification": classification, "rules": matched.rules}
    corrected = await rules.InterpretReply(pb.InterpretReplyRequest(**asked, reply="아니요, 우유팩이에요"))
    assert [one.category.minor for one in corrected.classification.objects] == ["우유팩", "음료캔"]
    other = await rules.InterpretReply(pb.InterpretReplyRequest(**asked, reply="아니요, 음료캔이에요"))
    assert other.classification.category == CAN
    assert [one.category.minor for one in other.classification.objects] == ["페트병", "음료캔"]


async def test_an_answer_carries_the_plan_of_its_rule(rules: "RulesServiceAsyncStub") -> None:
    """In the language of the request, for the thing and for each of the others; wider rules have none."""
    jar = Category(major="재활용폐기물", middle="유리병", minor="식품병")
    things = [_object("1", PET), _object("2", jar)]
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=PET, objects=things, locale="en"))
    assert [step.part for step in matched.rules[0].take_apart] == ["Cap", "Label", "Bottle"]
    assert matched.rules[0].take_apart[1].category == Category(major="재활용폐기물", middle="비닐류", minor="라벨")
    assert matched.rules[0].take_apart[1].container == "the film bin"
    assert not any(rule.take_apart for rule in matched.rules[1:])
    assert [step.part for step in matched.object_rules[1].take_apart] == ["Metal cap", "Bottle"]
    answer = await compose(
        rules,
        pb.ComposeAnswerRequest(classification=Classification(category=PET), rules=matched.rules, locale="en"),
    )
    assert list(answer.take_apart) == list(matched.rules[0].take_apart)


async def test_what_the_user_calls_it_finds_its_plan(rules: "RulesServiceAsyncStub") -> None:
    """An item may come apart though its category doesn't."""
    matched = await rules.MatchRules(pb.MatchRulesRequest(category=UNKNOWN, user_input="액자 프레임 버리려고요"))
    assert [step.part for step in matched.rules[0].take_apart] == ["유리", "쇠 장식과 고리", "나무 틀"]
