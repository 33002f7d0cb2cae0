"""The entries of `take_apart.yaml`, and the plans they become."""

from collections.abc import Collection

import msgspec

from mesh.locale import Text
from rules_svc.loading.schema import path_of
from rules_svc.rulebook.take_apart import LEAST_PARTS, Part, TakeApartPlan, TakeApartPlans
from rules_svc.rulebook.taxonomy import Taxonomy


class PartEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A part of a plan."""

    part: Text
    how: Text
    category: str = ""

    def parsed(self, taxonomy: Taxonomy) -> Part:
        """The part; its category must exist."""
        return Part(self.part, self.how, taxonomy[path_of(self.category)].path if self.category else None)


class PlanEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A plan."""

    id: str
    parts: list[PartEntry]
    of: list[str] = []
    tags: list[str] = []

    def plan(self, taxonomy: Taxonomy) -> TakeApartPlan:
        """The plan; every category it names must exist.

        Raises:
            ValueError: It takes nothing apart, though it has parts.
        """
        parts = tuple(entry.parsed(taxonomy) for entry in self.parts)
        if parts and (len(parts) < LEAST_PARTS or not any(part.path for part in parts)):
            raise ValueError(f"the plan {self.id} takes nothing apart")
        scopes = tuple(taxonomy[path_of(scope)].path for scope in self.of)
        return TakeApartPlan(self.id, scopes, frozenset(self.tags), parts)


class TakeApartFile(msgspec.Struct, forbid_unknown_fields=True):
    """`take_apart.yaml`. Source and day are for who checks it."""

    source: Text
    as_of: str
    plans: list[PlanEntry]

    def parsed(self, taxonomy: Taxonomy, tags: Collection[str]) -> TakeApartPlans:
        """Every plan.

        Args:
            taxonomy: Every category.
            tags: Keys of every situation.

        Raises:
            ValueError: Two plans share an id, or a category in the same situation; or one names an unknown situation.
            NotFound: One names a category that doesn't exist.
        """
        plans = tuple(entry.plan(taxonomy) for entry in self.plans)
        ids = [plan.plan_id for plan in plans]
        scopes = [(scope, plan.tags) for plan in plans for scope in plan.scopes]
        for some in (ids, scopes):
            if len(set(some)) != len(some):
                raise ValueError("two plans to take something apart share an id or a category")
        told = {tag for plan in plans for tag in plan.tags}
        if unknown := sorted(told.difference(tags)):
            raise ValueError(f"no such situations: {unknown}")
        return TakeApartPlans(plans)
