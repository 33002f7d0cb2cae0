"""What a user's words make of what is known about a photo: the category, the situation, and what else it may be.

What a photo shows for sure is never overruled here: words that name another thing are handed on, and the answer asks
which it is. Words that name a kind of what the photo shows make it more exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rules_svc.answers.composer import UNKNOWN
from rules_svc.answers.questions import Questions, Source, Topic
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Path, within
from rules_svc.search.matcher import Matcher
from rules_svc.search.matches import ItemMatch

MOST_TAGS = 20
MOST_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """What the rules are wanted for.

    Attributes:
        path: The category.
        tags: Situations, those of the photo first.
        said: What the words name for sure, unless the category says the same.
        candidates: What it may be while the category is unknown, most likely first.
    """

    path: Path
    tags: tuple[str, ...]
    said: ItemMatch | None = None
    candidates: tuple[Path, ...] = ()

    @property
    def own_plan(self) -> str:
        """Id of the plan to take apart the item that the words name, if the rules are wanted for it; else empty."""
        item = self.said.item if self.said and self.said.path == self.path else None
        return item.take_apart if item else ""


@dataclass(frozen=True, slots=True)
class RemarkReader:
    """Works a user's words in.

    Attributes:
        book: The rule book.
        questions: What users ask.
        matcher: Reads what is named and told.
    """

    book: Rulebook
    questions: Questions
    matcher: Matcher

    def subject(self, path: Path, tags: Sequence[str], candidates: Sequence[Path], remark: str) -> Subject:
        """What the rules are wanted for.

        Args:
            path: What the photo shows.
            tags: Its situations.
            candidates: What else it may be, most likely first; only of interest while the category is unknown.
            remark: The user's own words.
        """
        recognised = path != UNKNOWN
        reading = self.matcher.read(remark, of=path if recognised else None)
        named = tuple(item for item in reading.items if item.path != UNKNOWN)
        if named and self.questions.asking.within(remark):
            about = self.questions.about(remark) if recognised else ()
            named = tuple(item for item in named if not self._beside(item, about))
        said = named[0] if named and named[0].sure else None
        if said and recognised and within(path, said.path):
            said = None  # the same, or a wider word for it
        taken = said if said and (not recognised or self._finer(path, said.path)) else None
        denied = {one.tag for one in reading.denied if not self._dangerous(one.tag, path)}
        told = (*(taken.tags if taken else ()), *reading.tag_keys)
        kept = (tag for tag in (*tags, *told) if tag not in denied)
        return Subject(
            path=taken.path if taken else path,
            tags=tuple(dict.fromkeys(kept))[:MOST_TAGS],
            said=said,
            candidates=() if recognised or taken else self._candidates(named, candidates),
        )

    def _candidates(self, named: Sequence[ItemMatch], seen: Sequence[Path]) -> tuple[Path, ...]:
        """What it may be: the best guess at the words, then what the photo may show, then what else they may mean."""
        known = [path for path in seen if path in self.book.taxonomy and path != UNKNOWN]
        words = [item.path for item in named]
        return tuple(dict.fromkeys((*words[:1], *known, *words[1:])))[:MOST_CANDIDATES]

    def _finer(self, path: Path, named: Path) -> bool:
        """Whether something is a kind of a category: below it, or what its open question leads to."""
        leads = (choice.to for one in self.questions.open if one.at == path for choice in one.choices)
        return within(named, path) or any(lead and within(named, lead) for lead in leads)

    def _beside(self, item: ItemMatch, about: Sequence[Topic]) -> bool:
        """Whether a question about these topics names what belongs to the thing asked about, such as a cap."""
        if any(topic.source is Source.STEPS for topic in self.questions.about(item.matched)):
            return True
        return len(about) == 1 and about[0].source is Source.HAZARDS and about[0].asked.within(item.matched)

    def _dangerous(self, tag: str, path: Path) -> bool:
        """Whether a situation makes a thing dangerous: then the photo is believed and not a denial."""
        reaching = [effect for effect in self.book.tags[tag].effects if effect.reaches(path)]
        leads = [self.book.match(effect.redirect.to, ())[0] for effect in reaching if effect.redirect]
        return any(effect.hazard for effect in reaching) or any(rule.fixed for rule in leads)
