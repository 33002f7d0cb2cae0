"""RulesService: rules for each kind of waste, answers, and places that take it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any

from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceServicer
from mesh.grpc import entity_tags
from mesh.grpc.identity import caller
from mesh.locale import Locale
from mesh.models.usage import terms
from rules_svc import etags, plans_wire, regions_wire, wire
from rules_svc.answers import wire as answers_wire
from rules_svc.answers.composer import Answer
from rules_svc.answers.writers import Writers
from rules_svc.buildings.reader import BuildingReader
from rules_svc.collection.evenings import evening_of
from rules_svc.loading.candidate import Rulebooks
from rules_svc.loading.reloader import LoadedRulebook, RulebookReloader
from rules_svc.places import wire as places_wire
from rules_svc.places.finder import PlaceFinder
from rules_svc.rulebook.collection_days import collection_days
from rules_svc.rulebook.plans import plan
from rules_svc.rulebook.regions import Regions, ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Path

_MATCHES = 1024  # kept, some 3 kB each


class RulesServicer(RulesServiceServicer):
    """Answers from the rule book in memory and the places in the store.

    Args:
        reloader: Has the current rule book. Each call takes the current edition once and uses it to its end.
        rulebooks: That one and the candidate, for comparisons.
        places: Where waste can be taken.
        buildings: What joined buildings say.
        writers: Write answers.
        now: The time, for opening hours and the age of what is known of regions.
    """

    def __init__(
        self,
        reloader: RulebookReloader,
        rulebooks: Rulebooks,
        places: PlaceFinder,
        buildings: BuildingReader,
        writers: Writers,
        now: Callable[[], datetime],
    ) -> None:
        self._reloader = reloader
        self._rulebooks = rulebooks
        self._places = places
        self._buildings = buildings
        self._writers = writers
        self._now = now
        # Few combinations of category, tags and region make up most requests.
        self._matched = lru_cache(maxsize=_MATCHES)(self._match)
        # The same for everybody; building it blocks the event loop for 2.6 ms.
        self._taxonomy = lru_cache(maxsize=len(Locale))(self._whole_taxonomy)

    async def GetTaxonomy(self, request: pb.GetTaxonomyRequest, context: Any) -> pb.GetTaxonomyResponse:
        """Sends the whole taxonomy, unless the caller has it already."""
        book, locale = self._reloader.current.book, caller(context).locale_or(request.locale)
        tag = etags.taxonomy_tag(book.version, locale)
        not_modified = entity_tags.is_named(tag, context.invocation_metadata())
        await context.send_initial_metadata(etags.headers(tag, not_modified=not_modified))
        return wire.not_modified(book) if not_modified else self._taxonomy(book.version, locale)

    async def SearchItems(self, request: pb.SearchItemsRequest, context: Any) -> pb.SearchItemsResponse:
        """Finds categories by what people call things."""
        edition, locale = self._reloader.current, caller(context).locale_or(request.locale)
        reading = edition.matcher.read(request.q, limit=wire.to_item_limit(request))
        items = [
            wire.from_item_match(one, edition.book.taxonomy, locale, reading.told_of(one)) for one in reading.items
        ]
        return pb.SearchItemsResponse(items=items, rulebook_version=edition.book.version)

    async def MatchRules(self, request: pb.MatchRulesRequest, context: Any) -> pb.MatchRulesResponse:
        """Matches a category, a situation and a region, and what the user says of them."""
        return await self._matching(request, self._reloader.current, caller(context).locale_or(request.locale))

    async def ComposeAnswer(
        self, request: pb.ComposeAnswerRequest, context: Any
    ) -> AsyncIterator[pb.ComposeAnswerResponse]:
        """Writes an answer: a draft piece by piece, then the whole."""
        edition, locale = self._reloader.current, caller(context).locale_or(request.locale)
        classification, rules = (
            answers_wire.to_classification(request.classification, edition.book.taxonomy, request.object_rules),
            [wire.to_rule(rule) for rule in request.rules],
        )
        paid = terms(context)
        writing = self._writers.write(edition.composer, classification, rules, request.question, locale, paid)
        async with aclosing(writing) as events:
            async for event in events:
                if isinstance(event, Answer):
                    context.last()
                yield answers_wire.from_composed(event, paid.meter.total)

    async def AdviseDisposal(
        self, request: pb.AdviseDisposalRequest, context: Any
    ) -> AsyncIterator[pb.AdviseDisposalResponse]:
        """Matches rules, then writes an answer from them."""
        edition, locale, paid = self._reloader.current, caller(context).locale_or(request.locale), terms(context)
        matched = await self._matching(answers_wire.to_match_request(request), edition, locale)
        yield pb.AdviseDisposalResponse(matched=matched)
        classification, rules = (
            answers_wire.to_remarked(request.classification, matched, edition.book.taxonomy),
            [wire.to_rule(rule) for rule in matched.rules],
        )
        writing = self._writers.write(edition.composer, classification, rules, request.user_input, locale, paid)
        async with aclosing(writing) as events:
            async for event in events:
                if isinstance(event, Answer):
                    context.last()
                yield answers_wire.from_advised(event, paid.meter.total)

    async def ReadviseDisposal(self, request: pb.ReadviseDisposalRequest, context: Any) -> pb.ReadviseDisposalResponse:
        """Matches rules of one edition, and composes an answer from them."""
        edition, asked = self._rulebooks.find(request.rulebook_version), request.advise
        locale = caller(context).locale_or(asked.locale)
        matched = await self._matching(answers_wire.to_match_request(asked), edition, locale)
        answer = edition.composer.compose(
            answers_wire.to_remarked(asked.classification, matched, edition.book.taxonomy),
            [wire.to_rule(rule) for rule in matched.rules],
            asked.user_input,
            locale,
        )
        return pb.ReadviseDisposalResponse(matched=matched, answer=answers_wire.from_answer(answer))

    async def ListRulebooks(self, request: pb.ListRulebooksRequest, context: Any) -> pb.ListRulebooksResponse:
        """Names the editions that can be asked."""
        loaded = self._rulebooks.loaded()
        return pb.ListRulebooksResponse(
            rulebooks=[pb.RulebookEdition(name=name, version=one.book.version) for name, one in loaded.items()]
        )

    async def InterpretReply(self, request: pb.InterpretReplyRequest, context: Any) -> pb.InterpretReplyResponse:
        """Interprets a reply to an open question."""
        edition, locale = self._reloader.current, caller(context).locale_or(request.locale)
        classification, rules = (
            answers_wire.to_classification(request.classification, edition.book.taxonomy),
            [wire.to_rule(rule) for rule in request.rules],
        )
        known = edition.replies.interpret(
            classification, rules, request.question, request.region, request.reply, locale
        )
        message = edition.replies.remark(
            known, classification, rules, request.question, request.region, request.reply, locale
        )
        return answers_wire.from_known_facts(known, request, edition.book.taxonomy, message, locale)

    async def PlanEvening(self, request: pb.PlanEveningRequest, context: Any) -> pb.PlanEveningResponse:
        """Plans an evening: what of several things goes out, and when the others do."""
        book, locale = self._reloader.current.book, caller(context).locale_or(request.locale)
        evening = plans_wire.to_evening(request, self._now())
        places = await asyncio.gather(*(self._where(thing, book.regions) for thing in request.things))
        planned = []
        for thing, where in zip(request.things, places, strict=True):
            one = plan(
                book, book.taxonomy.today(wire.to_path(thing.category)), wire.to_keys(thing.tags), where, evening
            )
            planned.append((one, where))
            await asyncio.sleep(0)  # a third of a millisecond each, and there may be a hundred
        return plans_wire.from_plans(planned, evening, book, locale)

    async def ListCollections(self, request: pb.ListCollectionsRequest, context: Any) -> pb.ListCollectionsResponse:
        """Lists what a region or a building collects on the evenings of two weeks."""
        book, locale = self._reloader.current.book, caller(context).locale_or(request.locale)
        evening = plans_wire.to_evening(request, self._now())
        where = book.regions.find(request.region)
        if request.building:
            where = await self._buildings.around(request.building, where, book.regions)
        return plans_wire.from_collections(collection_days(book, where, evening), where, book.regions, locale)

    async def FindPlaces(self, request: pb.FindPlacesRequest, context: Any) -> pb.FindPlacesResponse:
        """Finds the nearest places."""
        locale = caller(context).locale_or(request.locale)
        nearest = await self._places.nearest(
            places_wire.to_location(request.location),
            places_wire.to_materials(request, self._reloader.current.book.taxonomy),
            places_wire.to_radius(request),
            places_wire.to_limit(request),
        )
        now = self._now()
        return pb.FindPlacesResponse(places=[places_wire.from_nearby(nearby, now, locale) for nearby in nearest])

    async def _matching(
        self, request: pb.MatchRulesRequest, edition: LoadedRulebook, locale: Locale
    ) -> pb.MatchRulesResponse:
        """The rules for a category, a situation and a region, and for what the user says of them."""
        book, subject = edition.book, wire.to_subject(request, edition.remarks)
        where = await self._where(request, book.regions)
        evening = evening_of(self._now())
        match = self._matcher(edition)
        matched = match(subject.path, subject.tags, where, locale, evening, subject.own_plan)
        if subject.said or subject.candidates:
            others = [match(path, subject.tags, where, locale, evening) for path in subject.candidates]
            matched = wire.with_subject(matched, subject, others, book, locale)
        if not request.objects:
            return matched
        main, rules = wire.to_main_object(request), []  # what the user says is of the main one alone
        for place, one in enumerate(request.objects):
            found = matched
            if place != main:
                await asyncio.sleep(0)  # a third of a millisecond each; another edition may come meanwhile
                path = book.taxonomy.today(wire.to_path(one.category))
                found = self._matcher(edition)(path, wire.to_keys(one.tags), where, locale, evening)
            rules.append(found.rules[0])
        return wire.with_objects(matched, request.objects, rules)

    def _matcher(self, edition: LoadedRulebook) -> Callable[..., pb.MatchRulesResponse]:
        """Matches by an edition until the next await; what is kept is the current one's."""
        current = edition is self._reloader.current
        return partial(self._matched, edition.book.version) if current else partial(_match, edition.book)

    async def _where(self, thing: pb.MatchRulesRequest | pb.Waste, regions: Regions) -> ResolvedRegion:
        where = regions_wire.to_region(thing, regions)
        return await self._buildings.around(thing.building, where, regions) if thing.building else where

    def _match(
        self,
        version: str,
        path: Path,
        tags: tuple[str, ...],
        where: ResolvedRegion,
        locale: Locale,
        evening: date,
        own_plan: str = "",
    ) -> pb.MatchRulesResponse:
        """The same of the current edition; the version keeps editions apart in the cache."""
        return _match(self._reloader.current.book, path, tags, where, locale, evening, own_plan)

    def _whole_taxonomy(self, version: str, locale: Locale) -> pb.GetTaxonomyResponse:
        """The whole taxonomy; the version keeps editions apart in the cache."""
        return wire.from_book(self._reloader.current.book, locale)


def _match(
    book: Rulebook,
    path: Path,
    tags: tuple[str, ...],
    where: ResolvedRegion,
    locale: Locale,
    evening: date,
    own_plan: str = "",
) -> pb.MatchRulesResponse:
    """The rules that apply in an evening, and how to take the thing apart."""
    matched = book.match_in(path, tags, where, evening)
    response = wire.from_matched(path, tags, matched, where, book, locale, evening)
    steps = book.take_apart(matched, tags, where, own_plan)
    response.rules[0].take_apart.extend(wire.from_step(step, book.taxonomy, locale) for step in steps)
    return plans_wire.with_evenings(response, matched.rules[0], evening)
