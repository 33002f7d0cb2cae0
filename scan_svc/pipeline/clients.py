"""The services Scan calls, as the pipeline wants them: proto types end here."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType

import grpc
from google.protobuf import json_format
from google.type import latlng_pb2

from eco2.character.v1 import character_service_pb2, character_service_pb2_grpc
from eco2.rules.v1 import (
    building_service_pb2,
    building_service_pb2_grpc,
    disposal_pb2,
    rules_service_pb2,
    rules_service_pb2_grpc,
)
from eco2.vision.v1 import classification_pb2, vision_service_pb2, vision_service_pb2_grpc
from mesh.grpc.access import SCAN
from mesh.grpc.client import Peer, open_channel
from mesh.grpc.host import Host
from mesh.grpc.proto_mirror import from_proto, to_proto
from mesh.locale import Locale
from scan_svc.mirrors.character import Reward
from scan_svc.mirrors.places import Place
from scan_svc.mirrors.rules import (
    Answer,
    CollectionDays,
    DisposalRule,
    EveningPlan,
    Interpretation,
    MatchedRules,
    Verdict,
)
from scan_svc.mirrors.vision import USER, Candidate, Category, Classification, Usage
from scan_svc.pipeline.compared_peers import ComparedPeers
from scan_svc.pipeline.spending import Spending
from scan_svc.scans import EveningRequest, Scan, Step
from scan_svc.settings import ScanSettings

_Verdict = rules_service_pb2.InterpretReplyResponse.Verdict
_Phase = vision_service_pb2.ClassifyProgress.Phase
_STEPS: Mapping[int, Step] = MappingProxyType(
    {_Phase.PHASE_FETCH: Step.FETCH, _Phase.PHASE_PREPARE: Step.PREPARE, _Phase.PHASE_CLASSIFY: Step.CLASSIFY}
)

# Idempotent and cheap: sent again when a replica is down. AdviseDisposal is as long as no rules have come.
_RULES_RETRIED = (
    *("MatchRules", "AdviseDisposal", "ReadviseDisposal", "InterpretReply"),
    *("PlanEvening", "ListCollections", "FindPlaces"),
)
# How long a scan's creation waits to hear whether its building exists.
_BUILDING_SECONDS = 1.0
_VISION_RETRIED = ("MakeThumbnail",)
_CHARACTER_RETRIED = ("EvaluateReward", "ListOwnedCharacters")
_COLLECTION_SECONDS = 10.0
# A photo of somebody who waits for an answer may be before it.
_THUMBNAIL_SECONDS = 30.0


class VisionPeer:
    """Vision over gRPC."""

    def __init__(self, channel: grpc.aio.Channel, spending: Spending) -> None:
        self._stub = vision_service_pb2_grpc.VisionServiceStub(channel)
        self._peer = Peer("vision")
        self._spending = spending

    async def classify(self, scan: Scan, deadline: float) -> AsyncGenerator[Step | Usage | Classification, None]:
        """The steps as they begin, what it cost, then the classification."""
        request = vision_service_pb2.ClassifyRequest(locale=scan.locale, batch=scan.batch)
        if scan.photo.object_key:
            request.object_key, request.etag = scan.photo.object_key, scan.photo.etag
        else:
            request.image_url = scan.photo.image_url
        async with aclosing(
            self._spending.call(
                self._peer, self._stub.Classify, request, "result", timeout=deadline, user_id=scan.user_id
            )
        ) as events:
            begun = set[Step]()  # a call that is made again begins anew, but a scan doesn't go back
            async for event in events:
                if event.HasField("result"):
                    if event.result.HasField("usage"):
                        yield from_proto(event.result.usage, Usage)
                    found = from_proto(event.result.classification, Classification)
                    yield replace(found, photo_digest=event.result.image_digest)
                elif (step := _STEPS.get(event.progress.phase)) and step not in begun:
                    begun.add(step)
                    yield step

    async def frames(
        self, clip: tuple[str, str], scan_id: str, most: int, user_id: str, deadline: float
    ) -> AsyncGenerator[tuple[tuple[str, timedelta], ...] | None]:
        """Yields None whenever a clip was looked through further, then its frames: the key and the time of each.

        Args:
            clip: The upload's key and entity tag.
            scan_id: The scan whose photos the frames become.
            most: How many.
            user_id: Whose clip it is.
            deadline: Seconds.
        """
        request = vision_service_pb2.ExtractFramesRequest(object_key=clip[0], etag=clip[1], scan_id=scan_id, most=most)
        call = self._peer.stream(self._stub.ExtractFrames, request, timeout=deadline, user_id=user_id, last="result")
        async with aclosing(call) as events:
            async for event in events:
                frames = event.result.frames
                yield tuple((one.object_key, one.time_offset.ToTimedelta()) for one in frames) or None

    async def thumbnail(self, user_id: str, object_key: str, side: int) -> bytes:
        """A small JPEG of a stored photo's clean copy.

        Args:
            user_id: Whose photo it is.
            object_key: Where it is, or its upload was.
            side: Pixels of the longer side, at most.

        Raises:
            NotFound: There is no clean copy, or not any more.
            EcoError: It can't be made now.
        """
        request = vision_service_pb2.MakeThumbnailRequest(object_key=object_key, side=side)
        made = await self._peer.call(self._stub.MakeThumbnail, request, timeout=_THUMBNAIL_SECONDS, user_id=user_id)
        jpeg: bytes = made.jpeg
        return jpeg


class RulesPeer:
    """Rules over gRPC."""

    def __init__(self, channel: grpc.aio.Channel, spending: Spending) -> None:
        self._stub = rules_service_pb2_grpc.RulesServiceStub(channel)
        self._buildings = building_service_pb2_grpc.BuildingServiceStub(channel)
        self._peer = Peer("rules")
        self._spending = spending

    async def match(self, scan: Scan, found: Classification, remark: str, deadline: float) -> MatchedRules:
        """The disposal rules for what was found, and for what the user's words say of it."""
        candidates = () if found.category.recognised else found.candidates
        request = rules_service_pb2.MatchRulesRequest(
            category=to_proto(found.category, classification_pb2.Category),
            tags=found.tags,
            region=scan.region,
            location=to_proto(scan.location, latlng_pb2.LatLng) if scan.location else None,
            locale=scan.locale,
            user_input=remark,
            building=scan.building,
            candidates=[to_proto(one.category, classification_pb2.Category) for one in candidates],
            objects=[to_proto(one, classification_pb2.DetectedObject) for one in found.objects],
        )
        return _matched(found, await self._peer.call(self._stub.MatchRules, request, timeout=deadline))

    async def interpret(self, scan: Scan, question: str, reply: str, deadline: float) -> Interpretation:
        """What a reply to a scan's answer means."""
        request = rules_service_pb2.InterpretReplyRequest(
            classification=to_proto(scan.results.vision, classification_pb2.Classification),
            rules=[
                to_proto(rule, disposal_pb2.DisposalRule) for rule in scan.results.rules or () if not rule.object_id
            ],
            question=question,
            region=scan.region,
            reply=reply,
            locale=scan.locale,
        )
        meant = await self._peer.call(self._stub.InterpretReply, request, timeout=deadline, user_id=scan.user_id)
        found = from_proto(meant.classification, Classification)
        verdict = Verdict(_Verdict.Name(meant.verdict).removeprefix("VERDICT_"))
        return Interpretation(meant.understood, found, meant.question, meant.region, meant.message, verdict)

    async def compose(
        self, scan: Scan, found: Classification, rules: tuple[DisposalRule, ...], deadline: float
    ) -> AsyncGenerator[str | Usage | Answer, None]:
        """Pieces of the answer's text, what it cost, then the answer."""
        request = rules_service_pb2.ComposeAnswerRequest(
            classification=to_proto(found, classification_pb2.Classification),
            rules=_rules(rules, of_objects=False),
            question=scan.user_input,
            locale=scan.locale,
            object_rules=_rules(rules, of_objects=True),
        )
        async with aclosing(
            self._spending.call(
                self._peer, self._stub.ComposeAnswer, request, "answer", timeout=deadline, user_id=scan.user_id
            )
        ) as events:
            async for event in events:
                for part in _written(event):
                    yield part

    async def advise(
        self, scan: Scan, found: Classification, deadline: float
    ) -> AsyncGenerator[MatchedRules | str | Usage | Answer, None]:
        """The rules as `match` finds them with the scan's own words, then the answer as `compose` writes it."""
        request = rules_service_pb2.AdviseDisposalRequest(
            classification=to_proto(found, classification_pb2.Classification),
            region=scan.region,
            location=to_proto(scan.location, latlng_pb2.LatLng) if scan.location else None,
            building=scan.building,
            user_input=scan.user_input,
            locale=scan.locale,
        )
        async with aclosing(
            self._spending.call(
                self._peer, self._stub.AdviseDisposal, request, "answer", timeout=deadline, user_id=scan.user_id
            )
        ) as events:
            told = False  # a call that is made again begins anew
            async for event in events:
                if not event.HasField("matched"):
                    for part in _written(event):
                        yield part
                elif not told:
                    told = True
                    yield _matched(found, event.matched)

    async def places(self, scan: Scan, category: Category, deadline: float) -> tuple[Place, ...]:
        """The nearest places for a category; none without a location."""
        if scan.location is None:
            return ()
        request = rules_service_pb2.FindPlacesRequest(
            location=to_proto(scan.location, latlng_pb2.LatLng),
            materials=[category.middle or category.major],
            locale=scan.locale,
        )
        response = await self._peer.call(self._stub.FindPlaces, request, timeout=deadline)
        return tuple(from_proto(place, Place) for place in response.places)

    async def demand_building(self, code: str, user_id: str) -> None:
        """Asks whether there is a building with a code.

        Raises:
            NotFound: There is none.
            EcoError: It can't be asked now.
        """
        request = building_service_pb2.GetBuildingRequest(code=code)
        await self._peer.call(self._buildings.GetBuilding, request, timeout=_BUILDING_SECONDS, user_id=user_id)

    async def plan_evening(
        self, asked: EveningRequest, things: Sequence[tuple[Scan, Classification]], deadline: float
    ) -> tuple[date, tuple[EveningPlan, ...]]:
        """Which evening is asked about, and for each scan and what it shows when it goes out."""
        request = rules_service_pb2.PlanEveningRequest(
            things=[_waste(scan, found, asked) for scan, found in things],
            date=asked.day.isoformat() if asked.day else "",
            locale=asked.locale,
        )
        response = await self._peer.call(self._stub.PlanEvening, request, timeout=deadline)
        return date.fromisoformat(response.date), tuple(from_proto(plan, EveningPlan) for plan in response.plans)

    async def collections(self, region: str, building: str, locale: Locale, deadline: float) -> CollectionDays:
        """What a region or a building collects on the evenings of two weeks."""
        request = rules_service_pb2.ListCollectionsRequest(region=region, building=building, locale=locale)
        return from_proto(await self._peer.call(self._stub.ListCollections, request, timeout=deadline), CollectionDays)


def _waste(scan: Scan, found: Classification, asked: EveningRequest) -> rules_service_pb2.Waste:
    waste = rules_service_pb2.Waste(category=to_proto(found.category, classification_pb2.Category), tags=found.tags)
    if asked.region or asked.building:
        waste.region, waste.building = asked.region, asked.building
        return waste
    waste.region, waste.building = scan.region, scan.building
    if scan.location:
        waste.location.CopyFrom(to_proto(scan.location, latlng_pb2.LatLng))
    return waste


def _matched(found: Classification, response: rules_service_pb2.MatchRulesResponse) -> MatchedRules:
    rules = tuple(from_proto(rule, DisposalRule) for rule in (*response.rules, *response.object_rules))
    return MatchedRules(_worked_in(found, response), rules)


def _rules(rules: Iterable[DisposalRule], *, of_objects: bool) -> list[disposal_pb2.DisposalRule]:
    """Those of the objects, or the others."""
    return [to_proto(rule, disposal_pb2.DisposalRule) for rule in rules if bool(rule.object_id) == of_objects]


def _written(
    event: rules_service_pb2.ComposeAnswerResponse | rules_service_pb2.AdviseDisposalResponse,
) -> Iterator[str | Usage | Answer]:
    """What one message says of the answer."""
    if event.HasField("usage"):
        yield from_proto(event.usage, Usage)
    yield from_proto(event.answer, Answer) if event.HasField("answer") else event.text_delta


def _worked_in(found: Classification, matched: rules_service_pb2.MatchRulesResponse) -> Classification:
    """The classification, with what the rules were matched for by the user's words."""
    if not matched.HasField("category"):  # by the release before, which doesn't read them
        return found
    category = from_proto(matched.category, Category)
    said = from_proto(matched.said, Candidate) if matched.HasField("said") else found.said
    found = replace(found, tags=tuple(matched.tags), said=said)
    if category != found.category and matched.HasField("said"):
        return found.said_to_be(category, matched.display_name)
    if category != found.category:  # the rule book has moved it since the photo was looked at
        return replace(found, category=category, display_name=matched.display_name)
    if category.recognised:
        return found
    known = {candidate.category: candidate for candidate in found.candidates}
    named = (from_proto(candidate, Candidate) for candidate in matched.candidates)
    return replace(found, candidates=tuple(known.get(candidate.category, candidate) for candidate in named))


class CharacterPeer:
    """Character over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = character_service_pb2_grpc.CharacterServiceStub(channel)
        self._peer = Peer("character")

    async def evaluate(
        self, scan: Scan, found: Classification, rule_count: int, insufficiency_count: int, deadline: float
    ) -> Reward:
        """What the scan earned; the scan's id makes it the same however often it is asked."""
        request = character_service_pb2.EvaluateRewardRequest(
            user_id=scan.user_id,  # for a Character that doesn't read the header yet
            scan_id=scan.scan_id,
            category=to_proto(found.category, classification_pb2.Category),
            corrected=found.provider == USER,
            rule_count=rule_count,
            insufficiency_count=insufficiency_count,
            locale=scan.locale,
        )
        response = await self._peer.call(self._stub.EvaluateReward, request, timeout=deadline, user_id=scan.user_id)
        return from_proto(response.reward, Reward)

    async def collection(self, user_id: str) -> str:
        """A user's characters, as JSON."""
        request = character_service_pb2.ListOwnedCharactersRequest()
        owned = await self._peer.call(
            self._stub.ListOwnedCharacters, request, timeout=_COLLECTION_SECONDS, user_id=user_id
        )
        return json_format.MessageToJson(owned, preserving_proto_field_name=True, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Peers:
    """The services Scan calls."""

    vision: VisionPeer
    rules: RulesPeer
    character: CharacterPeer
    compared: ComparedPeers


@asynccontextmanager
async def open_peers(settings: ScanSettings, spending: Spending, host: Host | None = None) -> AsyncIterator[Peers]:
    """One channel to each service, closed at exit.

    Args:
        settings: Where they are.
        spending: Tells them what models have cost today.
        host: What serves this process, where they may be.
    """
    async with AsyncExitStack() as channels:
        enter = channels.enter_async_context
        to = partial(open_channel, SCAN, tls=settings.tls, host=host)
        vision = await enter(to(settings.vision_target, "eco2.vision.v1.VisionService", _VISION_RETRIED))
        rules = await enter(to(settings.rules_target, "eco2.rules.v1.RulesService", _RULES_RETRIED))
        character = await enter(to(settings.character_target, "eco2.character.v1.CharacterService", _CHARACTER_RETRIED))
        yield Peers(
            VisionPeer(vision, spending),
            RulesPeer(rules, spending),
            CharacterPeer(character),
            ComparedPeers(vision, rules),
        )
