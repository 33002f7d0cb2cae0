"""Vision, Rules and Character over gRPC, doing what a test says."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from typing import Any

from eco2.character.v1 import character_pb2, character_service_pb2, character_service_pb2_grpc
from eco2.rules.v1 import (
    building_pb2,
    building_service_pb2_grpc,
    disposal_pb2,
    rules_service_pb2,
    rules_service_pb2_grpc,
)
from eco2.vision.v1 import classification_pb2, vision_service_pb2, vision_service_pb2_grpc
from mesh.errors import NotFound
from mesh.models.spent import HEADER as SPENT_HEADER
from mesh.reasons import Reason
from mesh.s3.photo_keys import frame_key

METAL = classification_pb2.Category(major="재활용폐기물", middle="금속류")
PLACE = disposal_pb2.Place(place_id="p1", name="견본 수거함", location={"latitude": 37.5, "longitude": 126.9})


class Peers(
    vision_service_pb2_grpc.VisionServiceServicer,
    rules_service_pb2_grpc.RulesServiceServicer,
    building_service_pb2_grpc.BuildingServiceServicer,
    character_service_pb2_grpc.CharacterServiceServicer,
):
    """Vision, Rules and Character in one. `before[method]` runs first: raise to fail, wait to hold."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.before: dict[str, Callable[[], Awaitable[object]]] = {}
        self.found = classification_pb2.Classification(category=METAL, display_name="금속류", confidence=0.9)
        self.shown: dict[str, Any] = {}  # what photos show that show something else, by key
        self.frames = 3  # of a clip
        self.asks: tuple[str, ...] = ()  # what answers leave open
        self.usage: dict[str, Any] | None = None  # what a look and an answer cost
        self.buildings: list[str] = []  # that rules were matched and evenings planned for
        self.batch: list[bool] = []  # of each photo, whether it gives way
        self.told: list[str] = []  # what callers say was spent, of each call that costs
        self.thumbnail: bytes | None = None
        self.composed: Any = None  # the last request for an answer
        self.collections: list[rules_service_pb2.Collection] = []  # of 마포구
        self.looks: list[str] = []  # at which photos comparisons have looked
        self.looked_at: Callable[[str], classification_pb2.Classification] = lambda _: self.found  # what they are told
        self.rulebooks = {"current": "0" * 12, "candidate": "1" * 12}
        self.cancelled = asyncio.Event()

    async def _called(self, method: str) -> None:
        self.calls[method] += 1
        if method in self.before:
            try:
                await self.before[method]()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise

    async def Classify(self, request: Any, context: Any) -> AsyncIterator[vision_service_pb2.ClassifyResponse]:
        for phase in (1, 2, 3):
            yield vision_service_pb2.ClassifyResponse(progress={"phase": phase})
        self.told.append(dict(context.invocation_metadata()).get(SPENT_HEADER, ""))  # the release before says nothing
        self.batch.append(request.batch)
        await self._called("Classify")
        found = self.shown.get(request.object_key, self.found)
        result = {"classification": found, "image_digest": "d", "usage": self.usage}
        yield vision_service_pb2.ClassifyResponse(result=result)

    async def ExtractFrames(
        self, request: Any, context: Any
    ) -> AsyncIterator[vision_service_pb2.ExtractFramesResponse]:
        """One frame a second."""
        yield vision_service_pb2.ExtractFramesResponse(progress={"time_offset": {"seconds": 1}})
        await self._called("ExtractFrames")
        frames: Any = [
            {"object_key": frame_key(request.scan_id, number), "time_offset": {"seconds": number}}
            for number in range(min(self.frames, request.most))
        ]
        yield vision_service_pb2.ExtractFramesResponse(result={"frames": frames})

    async def MakeThumbnail(self, request: Any, context: Any) -> vision_service_pb2.MakeThumbnailResponse:
        """What a test says, if anything."""
        await self._called("MakeThumbnail")
        if self.thumbnail is None:
            raise NotFound(Reason.PHOTO_NOT_FOUND, object_key=request.object_key)
        return vision_service_pb2.MakeThumbnailResponse(jpeg=self.thumbnail)

    async def ListClassifiers(self, request: Any, context: Any) -> vision_service_pb2.ListClassifiersResponse:
        return vision_service_pb2.ListClassifiersResponse(classifiers=["gpt-4.1-mini", "gpt-5", "offline"])

    async def Reclassify(self, request: Any, context: Any) -> vision_service_pb2.ReclassifyResponse:
        photo = request.object_key or request.image_url
        self.looks.append(photo)
        await self._called("Reclassify")
        return vision_service_pb2.ReclassifyResponse(classification=self.looked_at(photo), usage=self.usage)

    async def ListRulebooks(self, request: Any, context: Any) -> rules_service_pb2.ListRulebooksResponse:
        return rules_service_pb2.ListRulebooksResponse(
            rulebooks=[
                rules_service_pb2.RulebookEdition(name=name, version=version)
                for name, version in self.rulebooks.items()
            ]
        )

    async def ReadviseDisposal(self, request: Any, context: Any) -> rules_service_pb2.ReadviseDisposalResponse:
        """Each category has its rule; of the candidate another container."""
        await self._called("ReadviseDisposal")
        category = request.advise.classification.category
        container = "파란 수거함" if request.rulebook_version == "1" * 12 else "분리수거함"
        rule = {"rule_id": category.middle, "category": category, "steps": ["비워요"], "container": container}
        answer = {"text": f"{category.middle}: {container}"}
        return rules_service_pb2.ReadviseDisposalResponse(matched={"rules": [rule]}, answer=answer)

    async def MatchRules(self, request: Any, context: Any) -> rules_service_pb2.MatchRulesResponse:
        self.buildings.append(request.building)
        await self._called("MatchRules")
        return rules_service_pb2.MatchRulesResponse(
            rules=[{"rule_id": "metal", "category": METAL, "steps": ["비워요"]}],
            object_rules=[
                disposal_pb2.DisposalRule(rule_id="own", category=one.category, object_id=one.object_id)
                for one in _objects(request)
            ],
        )

    async def ComposeAnswer(self, request: Any, context: Any) -> AsyncIterator[rules_service_pb2.ComposeAnswerResponse]:
        yield rules_service_pb2.ComposeAnswerResponse(text_delta="비우고 ")
        self.told.append(dict(context.invocation_metadata()).get(SPENT_HEADER, ""))  # the release before says nothing
        self.composed = request
        await self._called("ComposeAnswer")
        yield rules_service_pb2.ComposeAnswerResponse(
            answer={"text": "비우고 내놓아요.", "rule_ids": ["metal"], "insufficiencies": self.asks},
            usage=self.usage,
        )

    async def AdviseDisposal(
        self, request: Any, context: Any
    ) -> AsyncIterator[rules_service_pb2.AdviseDisposalResponse]:
        """Both in one."""
        self.calls["AdviseDisposal"] += 1
        yield rules_service_pb2.AdviseDisposalResponse(matched=await self.MatchRules(request, context))
        async for event in self.ComposeAnswer(request, context):
            written: Any = {"answer": event.answer, "usage": self.usage} if event.HasField("answer") else None
            yield rules_service_pb2.AdviseDisposalResponse(**written or {"text_delta": event.text_delta})

    async def InterpretReply(self, request: Any, context: Any) -> rules_service_pb2.InterpretReplyResponse:
        """Understands "투명", then nothing is open any more; and "맞아요" and "틀렸어요"."""
        await self._called("InterpretReply")
        response = rules_service_pb2.InterpretReplyResponse(
            classification=request.classification, question=request.question, region=request.region, message="음…"
        )
        if "투명" in request.reply:
            response.understood, response.message, response.region, self.asks = True, "고마워요", "11440", ()
            response.classification.category.middle = "무색페트병"
            response.classification.seen.CopyFrom(_seen(request.classification))
            response.classification.provider, response.verdict = "user", response.VERDICT_CORRECTED
        elif "맞아요" in request.reply:
            response.understood, response.verdict = True, response.VERDICT_CONFIRMED
        elif "틀렸어요" in request.reply:
            response.understood, response.verdict = True, response.VERDICT_DENIED
            response.classification.category.CopyFrom(classification_pb2.Category(major="미분류"))
            response.classification.seen.CopyFrom(_seen(request.classification))
        return response

    async def GetBuilding(self, request: Any, context: Any) -> building_pb2.Building:
        await self._called("GetBuilding")
        return building_pb2.Building(code=request.code)

    async def PlanEvening(self, request: Any, context: Any) -> rules_service_pb2.PlanEveningResponse:
        """Takes things out in 마포구 on the evening asked about, in 종로구 three days later, nowhere else."""
        self.buildings.extend(thing.building for thing in request.things)
        await self._called("PlanEvening")
        day = date.fromisoformat(request.date or "2026-12-01")
        plans = [_plan(thing.region, day) for thing in request.things]
        return rules_service_pb2.PlanEveningResponse(plans=plans, date=day.isoformat())

    async def ListCollections(self, request: Any, context: Any) -> rules_service_pb2.ListCollectionsResponse:
        """Collects in 마포구 what a test says, nowhere anything."""
        self.buildings.append(request.building)
        await self._called("ListCollections")
        collections = self.collections if request.region == "마포구" else ()
        return rules_service_pb2.ListCollectionsResponse(collections=collections, display_name=request.region)

    async def ListOwnedCharacters(
        self, request: Any, context: Any
    ) -> character_service_pb2.ListOwnedCharactersResponse:
        await self._called("ListOwnedCharacters")
        return character_service_pb2.ListOwnedCharactersResponse(
            characters=[{"character": {"character_id": "metally"}}]
        )

    async def FindPlaces(self, request: Any, context: Any) -> rules_service_pb2.FindPlacesResponse:
        await self._called("FindPlaces")
        return rules_service_pb2.FindPlacesResponse(places=[PLACE])

    async def EvaluateReward(self, request: Any, context: Any) -> character_service_pb2.EvaluateRewardResponse:
        await self._called("EvaluateReward")
        if request.insufficiency_count:
            return character_service_pb2.EvaluateRewardResponse(
                reward={"outcome": character_pb2.Reward.OUTCOME_INSUFFICIENT}
            )
        character = character_pb2.Character(character_id="metally", name="메탈리", middle="금속류")
        return character_service_pb2.EvaluateRewardResponse(reward={"outcome": 1, "character": character})


def _objects(request: Any) -> Any:
    """What rules are wanted for, alone or together with the answer."""
    return request.objects if "objects" in request.DESCRIPTOR.fields_by_name else request.classification.objects


def _plan(region: str, day: date) -> disposal_pb2.EveningPlan:
    outlook, days = {"마포구": ("TONIGHT", 0), "종로구": ("LATER", 3)}.get(region, ("UNKNOWN", 0))
    evening = (day + timedelta(days=days)).isoformat() if outlook != "UNKNOWN" else ""
    rule = {"rule_id": "metal", "category": METAL, "container": "캔 수거함"}
    return disposal_pb2.EveningPlan(outlook=f"OUTLOOK_{outlook}", date=evening, rule=rule, region={"asked": region})


def _seen(found: classification_pb2.Classification) -> classification_pb2.Sighting:
    """What the classifier said."""
    if found.HasField("seen"):
        return found.seen
    return classification_pb2.Sighting(
        category=found.category, confidence=found.confidence, provider=found.provider, model=found.model
    )
