"""How to take apart what several materials are joined in: plans of the rule book, by category, situation and item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mesh.locale import Text
from rules_svc.rulebook.taxonomy import Path, lineage

LEAST_PARTS = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a thing.

    Attributes:
        name: What people call it.
        how: What to do with it; names no bag or bin, which the rule of its category does.
        path: Its own category; None if it goes where the thing goes.
    """

    name: Text
    how: Text
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class TakeApartPlan:
    """The parts of some things, in the order in which they come off; the last one is what is left of the thing.

    Attributes:
        plan_id: Stable id.
        scopes: The categories; all below them are meant too. None if only items have it.
        tags: Situations that a thing must be in.
        parts: The parts; none if the thing is put out whole.
    """

    plan_id: str
    scopes: tuple[Path, ...]
    tags: frozenset[str]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class TakeApartStep:
    """A part with where it goes in one region."""

    name: Text
    how: Text
    path: Path
    container: Text


@dataclass(frozen=True, slots=True)
class TakeApartPlans:
    """Every plan.

    Attributes:
        plans: In the order of the file.
    """

    plans: tuple[TakeApartPlan, ...] = ()
    _by_scope: Mapping[Path, tuple[TakeApartPlan, ...]] = field(init=False, repr=False, compare=False)
    _by_id: Mapping[str, TakeApartPlan] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_scope: dict[Path, list[TakeApartPlan]] = {}
        # Of two plans for a category the one that asks more of the situation comes first.
        for plan in sorted(self.plans, key=lambda one: len(one.tags), reverse=True):
            for scope in plan.scopes:
                by_scope.setdefault(scope, []).append(plan)
        object.__setattr__(self, "_by_scope", MappingProxyType({path: tuple(some) for path, some in by_scope.items()}))
        object.__setattr__(self, "_by_id", MappingProxyType({plan.plan_id: plan for plan in self.plans}))

    def __contains__(self, plan_id: object) -> bool:
        return plan_id in self._by_id

    def find(self, path: Path, tags: Iterable[str], own: str = "") -> TakeApartPlan | None:
        """The plan for a thing; None if none is known.

        An item's own plan comes first, then that of the narrowest category whose situation the thing is in.

        Args:
            path: The category whose rule is followed.
            tags: The situation.
            own: Id of the item's own plan; empty if it has none, or only the category is known.
        """
        if own:
            return self._by_id[own]
        present = frozenset(tags)
        plans = (plan for scope in lineage(path) for plan in self._by_scope.get(scope, ()))
        return next((plan for plan in plans if plan.tags <= present), None)
