"""A rule: how one category is disposed of, in both languages or in one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from mesh.locale import Locale, Text
from rules_svc.collection.streams import Stream
from rules_svc.rulebook.effects import Step
from rules_svc.rulebook.taxonomy import Category, Path

# What `Text[locale]` gives, without a call in Python: a rule has thirty texts.
_TOLD: Mapping[Locale, Callable[[Text], str]] = {locale: attrgetter(locale.value) for locale in Locale}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What doesn't belong in, and where it goes instead."""

    item: Text
    instead: Text


@dataclass(frozen=True, slots=True)
class Rule:
    """How one category is disposed of.

    Attributes:
        rule_id: Stable id; answers cite it.
        path: The category it is written for.
        title: The category's name.
        steps: What to do, in order.
        why: Why it is done so.
        container: Bag, bin or place it goes to.
        exclusions: What must stay out.
        hazards: Dangers to people.
        source: Title and section of the guide.
        stream: How it is collected; None for what isn't known yet.
        fee: What it costs; None if nothing beyond the bag.
        applied_tags: Situation tags that changed it.
        when: Days and hours in the user's region; None if unknown.
        place: Where it is put out there; None if unknown.
        hours: The same days as `evenings` reads them; empty if they can't be reckoned with.
        hours_as_of: The date of those days' source, ISO 8601; empty if it has none.
        times_as_of: The date of the times of day in them, if another source tells those.
        fixed: Whether situations, regions and buildings leave it unchanged, as they must for dangerous waste.
        local_source: Whose days and place these are, for who joined a building; else None.
    """

    rule_id: str
    path: Path
    title: Text
    steps: tuple[Step, ...]
    why: Text
    container: Text
    exclusions: tuple[Exclusion, ...]
    hazards: tuple[Text, ...]
    source: Text
    stream: Stream | None = None
    fee: Text | None = None
    applied_tags: tuple[str, ...] = ()
    when: Text | None = None
    place: Text | None = None
    hours: str = ""
    hours_as_of: str = ""
    times_as_of: str = ""
    fixed: bool = False
    local_source: Text | None = None

    def localized(self, locale: Locale) -> "LocalizedRule":
        """The rule in one language."""
        told = _TOLD[locale]
        return LocalizedRule(
            rule_id=self.rule_id,
            path=self.path,
            title=told(self.title),
            steps=tuple([told(step.text) for step in self.steps]),
            why=told(self.why),
            container=told(self.container),
            exclusions=tuple([(told(one.item), told(one.instead)) for one in self.exclusions]),
            hazards=tuple(map(told, self.hazards)),
            source=told(self.source),
            applied_tags=self.applied_tags,
            fee=told(self.fee) if self.fee else "",
            when=told(self.when) if self.when else "",
            place=told(self.place) if self.place else "",
            local_source=told(self.local_source) if self.local_source else "",
        )


@dataclass(frozen=True, slots=True)
class LocalizedPart:
    """A part of a thing and what becomes of it, in one language; as `eco2.rules.v1.TakeApartStep`."""

    name: str
    how: str
    category: Category
    container: str


@dataclass(frozen=True, slots=True)
class LocalizedRule:
    """A rule in one language, as the user reads it. Exclusions are (item, instead).

    Attributes:
        fee: What it costs; empty if nothing.
        when: When it is put out, where that is known; else empty.
        place: Where it is put out, where the region or the building says so; else empty.
        local_source: Whose days and place these are, for who joined a building; else empty.
        parts: How to take it apart, in order; empty if it is put out whole.
    """

    rule_id: str
    path: Path
    title: str
    steps: tuple[str, ...]
    why: str
    container: str
    exclusions: tuple[tuple[str, str], ...] = ()
    hazards: tuple[str, ...] = ()
    source: str = ""
    applied_tags: tuple[str, ...] = ()
    fee: str = ""
    when: str = ""
    place: str = ""
    local_source: str = ""
    parts: tuple[LocalizedPart, ...] = ()
