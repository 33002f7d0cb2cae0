"""What the pipeline needs of the services it calls; `scan_svc.pipeline.clients` calls them over gRPC."""

from collections.abc import AsyncGenerator
from typing import Protocol

from scan_svc.mirrors.character import Reward
from scan_svc.mirrors.places import Place
from scan_svc.mirrors.rules import Answer, DisposalRule, MatchedRules
from scan_svc.mirrors.vision import Category, Classification, Usage
from scan_svc.scans import Scan, Step


class Vision(Protocol):
    """What the pipeline needs of Vision."""

    def classify(self, scan: Scan, deadline: float) -> AsyncGenerator[Step | Usage | Classification, None]:
        """The steps as they begin, what it cost, then the classification."""


class Rules(Protocol):
    """What the pipeline needs of Rules."""

    async def match(self, scan: Scan, found: Classification, remark: str, deadline: float) -> MatchedRules:
        """The disposal rules for what was found, and for what the user's words say of it.

        Args:
            scan: The scan.
            found: What the photo shows.
            remark: What the user says that isn't worked into `found` yet; may be empty.
            deadline: Seconds it may take.
        """

    def compose(
        self, scan: Scan, found: Classification, rules: tuple[DisposalRule, ...], deadline: float
    ) -> AsyncGenerator[str | Usage | Answer, None]:
        """Pieces of the answer's text, what it cost, then the answer."""

    def advise(
        self, scan: Scan, found: Classification, deadline: float
    ) -> AsyncGenerator[MatchedRules | str | Usage | Answer, None]:
        """The rules as `match` finds them with the scan's own words, then the answer as `compose` writes it from them.

        Raises:
            Unimplemented: Rules is of a release that has only those two.
        """

    async def places(self, scan: Scan, category: Category, deadline: float) -> tuple[Place, ...]:
        """The nearest places for a category."""


class Characters(Protocol):
    """What the pipeline needs of Character."""

    async def evaluate(
        self, scan: Scan, found: Classification, rule_count: int, insufficiency_count: int, deadline: float
    ) -> Reward:
        """What the scan earned by what was found; the same however often it is asked."""
