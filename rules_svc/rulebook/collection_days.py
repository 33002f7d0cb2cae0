"""What a region or a building collects on which evenings, whatever anybody has to put out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from mesh.locale import Text
from rules_svc.collection.evenings import Evening, evenings
from rules_svc.collection.streams import NAMES, Stream
from rules_svc.rulebook.plans import AskedEvening
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.rules import Rule


@dataclass(frozen=True, slots=True)
class CollectionDays:
    """What is put out together.

    Attributes:
        streams: Which kinds of waste.
        evenings: The evenings of the next two weeks, soonest first.
        as_of: The date of these days' source, ISO 8601; empty if it has none.
    """

    streams: tuple[Stream, ...]
    evenings: tuple[Evening, ...]
    as_of: str

    @property
    def name(self) -> Text:
        """What people call it: what goes with the other recyclables isn't named beside them."""
        among_others = Stream.RECYCLABLE in self.streams
        told = [one for one in self.streams if one is Stream.RECYCLABLE or not (among_others and one.recyclable)]
        names = [NAMES[stream] for stream in told]
        return Text(", ".join(name.ko for name in names), ", ".join(name.en for name in names))


def collection_days(book: Rulebook, where: ResolvedRegion, asked: AskedEvening) -> list[CollectionDays]:
    """What is collected from an evening on; nothing where the days aren't known, or no region is.

    Args:
        book: The rules.
        where: The region, with the building that was joined.
        asked: The first evening, of which only what is left counts if it is this one.
    """
    if where.region is None:
        return []
    together: dict[tuple[str, str], list[Stream]] = {}
    for stream, rule in _rules_by_stream(book, where, asked.day):
        if rule.hours:
            together.setdefault((rule.hours, rule.hours_as_of), []).append(stream)
    found = []
    for (hours, as_of), streams in together.items():
        coming = tuple(one for one in evenings(hours, asked.day) if asked.moment is None or not one.over(asked.moment))
        found.append(CollectionDays(tuple(streams), coming, as_of))
    return found


def _rules_by_stream(book: Rulebook, where: ResolvedRegion, today: date) -> Iterator[tuple[Stream, Rule]]:
    """Of each stream that goes out by the evening a rule as it is followed there: all of a stream share its days."""
    for stream in NAMES:
        paths = (path for path, rule in book.rules.items() if rule.stream is stream and not rule.fixed)
        for path in paths:
            rule = book.match_in(path, (), where, today).rules[0]
            # A region may send single things elsewhere.
            if rule.stream is stream:
                yield stream, rule
                break
