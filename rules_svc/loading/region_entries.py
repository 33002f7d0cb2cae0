"""The entries of `regions/*.yaml` and of `special_collections.yaml`, and the overlays they become."""

from dataclasses import replace
from enum import StrEnum

import msgspec

from mesh.locale import Text
from rules_svc.collection.streams import Collection, Stream
from rules_svc.loading.schema import EffectEntry, StepEntry, path_of
from rules_svc.rulebook.buildings import Bin, BinKind
from rules_svc.rulebook.overlays import Grade, Overlay
from rules_svc.rulebook.taxonomy import Taxonomy


class Special(StrEnum):
    """What is collected apart from the daily waste, in boxes of its own."""

    MEDICINE = "medicine"
    BATTERY = "battery"
    LAMP = "lamp"
    COOKING_OIL = "cooking_oil"
    CLOTHING = "clothing"


class SpecialWords(msgspec.Struct, forbid_unknown_fields=True):
    """How a special collection is told, in `special_collections.yaml`; {places} stands for where its boxes are."""

    scopes: list[str]
    container: Text
    step: StepEntry


class BulkyWords(msgspec.Struct, forbid_unknown_fields=True):
    """How the declaring of bulky waste is told; {site} and {phone} stand for the municipality's."""

    scopes: list[str]
    both: Text
    site: Text
    phone: Text


class BinEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A kind of bin that a building may have, in `special_collections.yaml`."""

    scopes: list[str]
    stream: Stream
    container: Text
    step: StepEntry

    def bin(self, taxonomy: Taxonomy) -> Bin:
        """The bin; every category it takes must exist."""
        scopes = tuple(taxonomy[path_of(one)].path for one in self.scopes)
        return Bin(scopes, self.stream, self.container, self.step.step())


class RegionWords(msgspec.Struct, forbid_unknown_fields=True):
    """`special_collections.yaml`: what regions and buildings say in the same words everywhere."""

    places: dict[str, Text]
    special: dict[Special, SpecialWords]
    post_box: StepEntry
    bulky: BulkyWords
    not_food: Text
    bag_price: Text
    bins: dict[BinKind, BinEntry]


class SpecialEntry(msgspec.Struct, forbid_unknown_fields=True):
    """Where a municipality takes something back.

    Attributes:
        at: Places by their keys in `special_collections.yaml`.
        post_box: Whether post boxes take it as well; only medicine.
        note: What else to know.
    """

    at: list[str]
    post_box: bool = False
    note: Text | None = None


class BulkyEntry(msgspec.Struct, forbid_unknown_fields=True):
    """How a municipality wants bulky waste declared: on a web page, by telephone, or either."""

    site: str = ""
    phone: str = ""
    note: Text | None = None


class OverlayEntry(msgspec.Struct, forbid_unknown_fields=True):
    """What one source says of a region, in a file of `regions/`. A region may have several."""

    region: str
    as_of: str
    verified: bool
    grade: Grade
    source: Text
    collections: dict[Stream, Collection] = {}
    special: dict[Special, SpecialEntry] = {}
    bulky: BulkyEntry | None = None
    not_food: list[str] = []
    bag_price: dict[str, int] = {}
    phone: str = ""
    differently: list[EffectEntry] = []

    def overlay(self, taxonomy: Taxonomy, words: RegionWords) -> Overlay:
        """The overlay, with the sentences for what regions tell in the same words.

        Raises:
            KeyError: A place of a special collection isn't known.
            mesh.errors.NotFound: A category doesn't exist.
        """
        entries = [*self.differently, *self._told(words)]
        return Overlay(
            key=self.region,
            as_of=self.as_of,
            source=self.source,
            verified=self.verified,
            grade=self.grade,
            collections=self._collections(words),
            differently=tuple(entry.effect(taxonomy) for entry in entries),
            phone=self.phone,
        )

    def _told(self, words: RegionWords) -> list[EffectEntry]:
        """Special collections, bulky waste and what isn't food waste, as effects."""
        told = [one for kind, entry in self.special.items() for one in _special(entry, words.special[kind], words)]
        if self.bulky:
            told.append(_bulky(self.bulky, words.bulky))
        if self.not_food:
            name = self.region.rsplit("/", 1)[-1]
            why = _filled(words.not_food, name=Text(name, "this municipality"))
            bag = Text("종량제봉투", "a volume-rate bag (종량제봉투)")
            told.append(EffectEntry(self.not_food, StepEntry(why.ko, why.en), container=bag))
        return told

    def _collections(self, words: RegionWords) -> dict[Stream, Collection]:
        """The collections, with the price of bags for the general waste."""
        if not self.bag_price:
            return self.collections
        ko = ", ".join(f"{size.removesuffix('L')} L {price:,}원" for size, price in self.bag_price.items())
        en = ", ".join(f"{size.removesuffix('L')} l {price:,} won" for size, price in self.bag_price.items())
        general = self.collections.get(Stream.GENERAL, Collection())
        priced = replace(general, fee=_filled(words.bag_price, prices=Text(ko, en)))
        return {**self.collections, Stream.GENERAL: priced}


def _special(entry: SpecialEntry, words: SpecialWords, all_words: RegionWords) -> list[EffectEntry]:
    places = [all_words.places[one] for one in entry.at]
    where = Text(", ".join(one.ko for one in places), ", ".join(one.en for one in places))
    step = _filled(Text(words.step.ko, words.step.en), places=where)
    told = [
        EffectEntry(
            words.scopes,
            StepEntry(step.ko, step.en, words.step.about),
            container=_filled(words.container, places=where),
            exact=True,
        )
    ]
    if entry.post_box:
        told.append(EffectEntry(words.scopes, all_words.post_box, last=True, exact=True))
    if entry.note:
        told.append(EffectEntry(words.scopes, StepEntry(entry.note.ko, entry.note.en), last=True, exact=True))
    return told


def _bulky(entry: BulkyEntry, words: BulkyWords) -> EffectEntry:
    template = words.both if entry.site and entry.phone else words.site if entry.site else words.phone
    told = _filled(template, site=Text(entry.site, entry.site), phone=Text(entry.phone, entry.phone))
    note = entry.note or Text("", "")
    step = StepEntry(f"{told.ko} {note.ko}".strip(), f"{told.en} {note.en}".strip())
    return EffectEntry(words.scopes, step, last=True)


def _filled(template: Text, **values: Text) -> Text:
    ko = template.ko.format(**{name: value.ko for name, value in values.items()})
    return Text(ko, template.en.format(**{name: value.en for name, value in values.items()}))
