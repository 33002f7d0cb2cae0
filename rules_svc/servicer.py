"""RulesService: how each kind of waste is disposed of, what a person is told about it, and where they can take it."""

from collections.abc import AsyncIterator
from typing import Any

from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceServicer
from mesh.identity import caller
from rules_svc import wire
from rules_svc.answers import Composer
from rules_svc.rulebook import Rulebook
from rules_svc.store import PlaceStore

NATIONAL = "대한민국"


class RulesServicer(RulesServiceServicer):
    """Answers from the rule book in memory and the places in the store.

    Args:
        book: Taxonomy, tags and rules.
        composer: Composes answers.
        places: Where waste can be taken.
    """

    def __init__(self, book: Rulebook, composer: Composer, places: PlaceStore) -> None:
        self._book = book
        self._composer = composer
        self._places = places

    async def GetTaxonomy(self, request: pb.GetTaxonomyRequest, context: Any) -> pb.GetTaxonomyResponse:
        """Tells the whole taxonomy."""
        return wire.from_book(self._book, caller(context).locale_or(request.locale))

    async def MatchRules(self, request: pb.MatchRulesRequest, context: Any) -> pb.MatchRulesResponse:
        """Matches a category and a situation; the national rule applies in every region."""
        locale = caller(context).locale_or(request.locale)
        matched = self._book.match(wire.to_path(request.category), wire.to_keys(request.tags))
        rules = [wire.from_rule(rule.told(locale), self._book.taxonomy) for rule in matched]
        return pb.MatchRulesResponse(rules=rules, rulebook_version=self._book.version, applied_region=NATIONAL)

    async def ComposeAnswer(
        self, request: pb.ComposeAnswerRequest, context: Any
    ) -> AsyncIterator[pb.ComposeAnswerResponse]:
        """Composes an answer: its text line by line, then the whole."""
        locale = caller(context).locale_or(request.locale)
        finding, rules = wire.to_finding(request.classification), [wire.to_rule(rule) for rule in request.rules]
        for event in self._composer.compose(finding, rules, request.question, locale):
            yield wire.from_composed(event)

    async def FindPlaces(self, request: pb.FindPlacesRequest, context: Any) -> pb.FindPlacesResponse:
        """Finds the nearest places."""
        locale = caller(context).locale_or(request.locale)
        nearest = await self._places.nearest(
            wire.to_location(request.location),
            wire.to_materials(request, self._book.taxonomy),
            wire.to_radius(request),
            wire.to_limit(request),
        )
        return pb.FindPlacesResponse(places=[wire.from_nearby(nearby, locale) for nearby in nearest])
