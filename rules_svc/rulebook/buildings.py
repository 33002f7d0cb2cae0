"""What a house decides for itself: its days, its place and its bins, laid over the rule of its district.

Only when, where and into which bin. What is dangerous stays as the rule book has it: a fixed rule isn't touched, and no
bin of a house takes what a situation has made dangerous.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from mesh.locale import Text
from rules_svc.collection.freshness import SEOUL, told
from rules_svc.collection.house_hours import HouseHours
from rules_svc.collection.streams import Stream
from rules_svc.rulebook.effects import Step
from rules_svc.rulebook.rules import Rule
from rules_svc.rulebook.taxonomy import Path, within

_OWN = Text("우리 건물({name}) 안내예요. {day} 기준이에요.", "As your building says ({name}), as of {day}.")
_PLACE_ONLY = Text(
    "장소는 우리 건물({name}, {day}) 안내이고 요일과 시간은 {region} 기준이에요.",
    "The place is as your building says ({name}, {day}); days and hours are those of {region}.",
)
_SILENT = Text(
    "우리 건물({name}) 안내에 없는 품목이라 {region} 기준이에요.",
    "Your building ({name}) says nothing of this, so these are the rules of {region}.",
)
_DANGEROUS = Text(
    "안전에 관한 규정이라 건물 안내보다 먼저예요.", "This is a safety rule, which goes before what your building says."
)
_LOST = Text(
    "등록된 건물을 찾을 수 없어 {region} 기준이에요.",
    "Your building can't be found, so these are the rules of {region}.",
)
_UNREADABLE = Text(
    "지금은 건물 안내를 확인할 수 없어 {region} 기준이에요.",
    "What your building says can't be read just now, so these are the rules of {region}.",
)
_ITS_OWN_HOURS = Text("우리 건물에서 정한 시간에 넣어요.", "At the hours that your building sets.")


class BinKind(StrEnum):
    """A bin that a house may have."""

    FOOD_SCALE = "food_scale"
    BATTERY = "battery"
    SMALL_APPLIANCE = "small_appliance"
    LAMP = "lamp"
    CLOTHING = "clothing"
    COOKING_OIL = "cooking_oil"
    MEDICINE = "medicine"


@dataclass(frozen=True, slots=True)
class Bin:
    """What a kind of bin takes, and how it is told.

    Attributes:
        scopes: What it takes.
        stream: How that is collected; what a rule collects otherwise isn't taken.
        container: The bin.
        step: What to do, in place of the rule's own step about the same, else last.
    """

    scopes: tuple[Path, ...]
    stream: Stream
    container: Text
    step: Step

    def takes(self, rule: Rule, path: Path) -> bool:
        """Whether it takes what a rule is followed for."""
        return rule.stream is self.stream and any(within(path, scope) for scope in self.scopes)

    def worked_in(self, rule: Rule) -> Rule:
        """The rule with this bin."""
        placed = [self.step if step.about == self.step.about else step for step in rule.steps]
        steps = placed if self.step in placed else [*placed, self.step]
        return replace(rule, container=self.container, steps=tuple(steps))


class Absence(StrEnum):
    """Why what a building says isn't known."""

    LOST = "lost"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class HouseCollection:
    """When and where a house puts out one stream.

    Attributes:
        stream: Which.
        hours: When.
        place: Where, if elsewhere than usual; in one language or both.
    """

    stream: Stream
    hours: HouseHours
    place: Text | None = None


@dataclass(frozen=True, slots=True)
class HouseBin:
    """A bin that a house has: its kind, and where, if elsewhere than usual."""

    kind: BinKind
    place: Text | None = None


@dataclass(frozen=True, slots=True)
class HouseRules:
    """What a house's manager says. Texts are in one language or both, the other one empty.

    Attributes:
        name: What its people call it.
        place: Where the bins are; None if where the district wants it.
        collections: When things are put out; each stream at most once.
        bins: What bins it has besides; each kind at most once.
        notice: What else its people should know.
    """

    name: str
    place: Text | None = None
    collections: tuple[HouseCollection, ...] = ()
    bins: tuple[HouseBin, ...] = ()
    notice: Text | None = None

    def collection(self, stream: Stream) -> HouseCollection | None:
        """When and where a stream is put out; of recyclables as all of them, unless they have an entry of their own."""
        by_stream = {one.stream: one for one in self.collections}
        return by_stream.get(stream) or (by_stream.get(Stream.RECYCLABLE) if stream.recyclable else None)


@dataclass(frozen=True, slots=True)
class JoinedBuilding:
    """The building that somebody has joined, as it is at one version.

    Attributes:
        code: Its code.
        version: Grows with every change.
        updated_at: When it was last changed.
        says: What its manager says.
    """

    code: str
    version: int
    updated_at: datetime = field(compare=False)
    says: HouseRules = field(compare=False)

    @property
    def as_of(self) -> str:
        """The date of what it says, ISO 8601."""
        return self.updated_at.astimezone(SEOUL).date().isoformat()

    def applied(self, rule: Rule, path: Path, bins: Mapping[BinKind, Bin], *, endangered: bool) -> Rule | None:
        """A rule with the house's days, hours and bin; None if it says nothing of them.

        Args:
            rule: The rule, with situation and region worked in.
            path: What it is followed for.
            bins: What each kind of bin takes.
            endangered: Whether the situation has made it dangerous.
        """
        if rule.fixed or rule.stream is None:
            return None
        stream, kept = rule.stream, () if endangered else self.says.bins
        own_bin = next((one for one in kept if bins[one.kind].takes(rule, path)), None)
        collection = self.says.collection(stream)
        if own_bin is None and collection is None:
            return None
        if own_bin:
            rule = replace(bins[own_bin.kind].worked_in(rule), place=None)
        if collection:
            hours = collection.hours
            rule = replace(rule, when=hours.told(), hours=hours.written(), hours_as_of=self.as_of, times_as_of="")
        elif stream.by_evening:
            rule = replace(rule, when=_ITS_OWN_HOURS, hours="", hours_as_of="")
        place = (own_bin and own_bin.place) or (collection and collection.place) or self.says.place
        return replace(rule, place=in_both(place) if place else rule.place, local_source=self._source(_OWN))

    def at_its_place(self, rule: Rule, region: Text) -> Rule:
        """The rule of a region, of whose days the house says nothing: put out at the house's place, if it has one."""
        if rule.stream and rule.stream.by_evening and self.says.place:
            source = self._source(_PLACE_ONLY, region=region)
            return replace(rule, place=in_both(self.says.place), local_source=source)
        return replace(rule, local_source=self._source(_SILENT, region=region))

    def _source(self, template: Text, **values: Text) -> Text:
        name = Text(self.says.name, self.says.name)
        return _filled(template, name=name, day=told(self.as_of), **values)


def district_rule(rule: Rule, building: JoinedBuilding | None, absent: Absence | None, region: Text) -> Rule:
    """The district's rule for somebody who joined a building, saying why it isn't the building's.

    Args:
        rule: The rule.
        building: The building, which says nothing of its days; None if it isn't known.
        absent: Why it isn't known; None if it is.
        region: The name of the region whose rule it is.
    """
    if rule.fixed:
        return replace(rule, local_source=_DANGEROUS)
    if building:
        return building.at_its_place(rule, region)
    return replace(rule, local_source=_filled(_UNREADABLE if absent is Absence.UNREADABLE else _LOST, region=region))


def in_both(text: Text) -> Text:
    """A text for readers of either language: of what is missing the other one."""
    return Text(text.ko or text.en, text.en or text.ko)


def _filled(template: Text, **values: Text) -> Text:
    ko = template.ko.format(**{name: value.ko for name, value in values.items()})
    return Text(ko, template.en.format(**{name: value.en for name, value in values.items()}))
