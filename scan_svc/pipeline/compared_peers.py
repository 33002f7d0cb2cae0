"""What comparisons ask of Vision and Rules, over gRPC: proto types end here."""

from dataclasses import dataclass

import grpc
from google.type import latlng_pb2

from eco2.rules.v1 import rules_service_pb2 as rules_pb2
from eco2.rules.v1 import rules_service_pb2_grpc
from eco2.vision.v1 import classification_pb2, vision_service_pb2, vision_service_pb2_grpc
from mesh.grpc.client import Peer
from mesh.grpc.proto_mirror import from_proto, to_proto
from scan_svc.mirrors.rules import Answer, DisposalRule
from scan_svc.mirrors.vision import Classification, Usage
from scan_svc.scans import Scan

# A model's call takes as long as in a scan.
_LOOK_SECONDS = 60.0
_RULES_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one classifier says of a photo, what was paid for it, and whether it was remembered."""

    found: Classification
    usage: Usage | None
    remembered: bool


@dataclass(frozen=True, slots=True)
class Advised:
    """What one rule book says: its rules, and the answer composed from them."""

    rules: tuple[DisposalRule, ...]
    answer: Answer


class ComparedPeers:
    """Vision and Rules, as comparisons see them. Nothing is asked in a user's name, so nothing is counted as theirs.

    Args:
        vision: Channel to Vision.
        rules: Channel to Rules.
    """

    def __init__(self, vision: grpc.aio.Channel, rules: grpc.aio.Channel) -> None:
        self._vision = vision_service_pb2_grpc.VisionServiceStub(vision)
        self._rules = rules_service_pb2_grpc.RulesServiceStub(rules)
        self._to_vision, self._to_rules = Peer("vision"), Peer("rules")

    async def classifiers(self) -> tuple[str, ...]:
        """Whom `look` can ask."""
        request = vision_service_pb2.ListClassifiersRequest()
        known = await self._to_vision.call(self._vision.ListClassifiers, request, timeout=_RULES_SECONDS)
        return tuple(known.classifiers)

    async def rulebooks(self) -> dict[str, str]:
        """Versions by name of those that `advise` can ask: "current" and, if there is one, "candidate"."""
        request = rules_pb2.ListRulebooksRequest()
        loaded = await self._to_rules.call(self._rules.ListRulebooks, request, timeout=_RULES_SECONDS)
        return {one.name: one.version for one in loaded.rulebooks}

    async def look(self, scan: Scan, classifier: str) -> Look:
        """What a classifier says of the clean copy of a scan's photo.

        Raises:
            EcoError: PHOTO_NOT_FOUND if no copy is kept, or as Vision says.
        """
        request = vision_service_pb2.ReclassifyRequest(classifier=classifier, locale=scan.locale)
        if scan.photo.object_key:
            request.object_key = scan.photo.object_key
        else:
            request.image_url = scan.photo.image_url
        response = await self._to_vision.call(self._vision.Reclassify, request, timeout=_LOOK_SECONDS)
        return Look(
            from_proto(response.classification, Classification),
            from_proto(response.usage, Usage) if response.HasField("usage") else None,
            response.remembered,
        )

    async def advise(self, scan: Scan, found: Classification, version: str) -> Advised:
        """What a rule book says of what a photo shows, to this scan's question, where it was made.

        Raises:
            EcoError: As Rules says.
        """
        request = rules_pb2.ReadviseDisposalRequest(
            advise=rules_pb2.AdviseDisposalRequest(
                classification=to_proto(found, classification_pb2.Classification),
                region=scan.region,
                location=to_proto(scan.location, latlng_pb2.LatLng) if scan.location else None,
                building=scan.building,
                user_input=scan.user_input,
                locale=scan.locale,
            ),
            rulebook_version=version,
        )
        told = await self._to_rules.call(self._rules.ReadviseDisposal, request, timeout=_RULES_SECONDS)
        return Advised(
            tuple(from_proto(rule, DisposalRule) for rule in told.matched.rules), from_proto(told.answer, Answer)
        )
