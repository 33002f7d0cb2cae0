"""The Rules service in this process, asked as its clients ask it, without a transport in between."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from eco2.rules.v1 import disposal_pb2
from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.vision.v1.classification_pb2 import Category, Classification
from mesh.locale import Locale
from rules_svc.answers.writers import Writers
from rules_svc.loading.candidate import CandidateRulebook, Rulebooks
from rules_svc.loading.reloader import RulebookReloader
from rules_svc.places.finder import PlaceFinder
from rules_svc.servicer import RulesServicer

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Context:
    """A call of nobody in particular."""

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()

    async def send_initial_metadata(self, metadata: object) -> None:
        """Nobody reads it."""


class RulesClient:
    """Asks the rule book that ships.

    Args:
        places: Never asked here, nor are buildings; for the servicer's sake.
    """

    def __init__(self, places: PlaceFinder | None = None) -> None:
        self.reloader = RulebookReloader()
        now = partial(datetime.now, UTC)
        editions = Rulebooks(self.reloader, CandidateRulebook(None))
        self._servicer = RulesServicer(self.reloader, editions, places, None, Writers([]), now)  # type: ignore[arg-type]
        self._context = _Context()
        taxonomy = _done(self._servicer.GetTaxonomy(pb.GetTaxonomyRequest(), self._context))
        self.tags = frozenset(tag.key for tag in taxonomy.tags)

    def search(self, text: str, locale: Locale = Locale.KO, limit: int = 3) -> Sequence[pb.ItemMatch]:
        """What a question may mean, best first."""
        request = pb.SearchItemsRequest(q=text[:100], limit=limit, locale=locale)
        return _done(self._servicer.SearchItems(request, self._context)).items

    def match(self, category: Category, tags: Sequence[str] = (), region: str = "") -> pb.MatchRulesResponse:
        """The rules for a category, in Korean."""
        request = pb.MatchRulesRequest(category=category, tags=tags, region=region, locale=Locale.KO)
        return _done(self._servicer.MatchRules(request, self._context))

    def remark(self, said: str) -> pb.MatchRulesResponse:
        """The rules for a photo that shows nothing for sure, by what is written with it."""
        request = pb.MatchRulesRequest(category=Category(major="미분류"), user_input=said, locale=Locale.KO)
        return _done(self._servicer.MatchRules(request, self._context))

    def reply(self, category: Category, tags: Sequence[str], said: str, locale: Locale) -> Classification:
        """What a photo of a category, in some situation, shows after a user's reply."""
        classification = Classification(category=category, tags=tags, confidence=0.9)
        rules: Sequence[disposal_pb2.DisposalRule] = self.match(category, tags).rules[:5]
        request = pb.InterpretReplyRequest(classification=classification, rules=rules, reply=said, locale=locale)
        return _done(self._servicer.InterpretReply(request, self._context)).classification


def _done(call: Coroutine[Any, Any, R]) -> R:
    """The response of a method that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as end:
        response: R = end.value
        return response
    raise RuntimeError(f"{call} waits for something")
