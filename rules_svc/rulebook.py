"""The rule book: how each category is disposed of, and what a situation changes about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mesh.errors import InvalidArgument, Reason
from mesh.locale import Locale
from rules_svc.taxonomy import Path, Taxonomy, Text, lineage, within


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Attributes:
        text: What to do.
        about: What it deals with, such as "rinse": a situation's step takes the place of the rule's own step about the
            same. Empty if nothing can take its place.
    """

    text: Text
    about: str = ""


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
        applied_tags: Situation tags that changed it.
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
    applied_tags: tuple[str, ...] = ()

    def told(self, locale: Locale) -> "ToldRule":
        """The rule in one language."""
        return ToldRule(
            rule_id=self.rule_id,
            path=self.path,
            title=self.title[locale],
            steps=tuple(step.text[locale] for step in self.steps),
            why=self.why[locale],
            container=self.container[locale],
            exclusions=tuple((one.item[locale], one.instead[locale]) for one in self.exclusions),
            hazards=tuple(hazard[locale] for hazard in self.hazards),
            source=self.source[locale],
            applied_tags=self.applied_tags,
        )


@dataclass(frozen=True, slots=True)
class ToldRule:
    """A rule as a person reads it, in one language. Exclusions are (item, instead).

    Attributes:
        fee: What it costs; empty if nothing.
        when: When it is put out, where that is known; else empty.
        place: Where it is put out, where the region says so; else empty.
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


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another rule takes over.

    Attributes:
        to: The category whose rule it is.
        because: Said as its first step.
    """

    to: Path
    because: Text


@dataclass(frozen=True, slots=True)
class Effect:
    """What a tag changes about the rules of some categories.

    Attributes:
        scopes: The categories; all below them are meant too, unless `exact`.
        step: To be done as well, in place of the rule's own step about the same.
        last: Whether a step without such a place comes last; else it comes first.
        container: Where it goes instead.
        hazard: A danger the rule doesn't mention.
        redirect: The rule to follow instead.
        exact: Whether only the scopes themselves are meant.
    """

    scopes: tuple[Path, ...]
    step: Step | None = None
    last: bool = False
    container: Text | None = None
    hazard: Text | None = None
    redirect: Redirect | None = None
    exact: bool = False

    def reaches(self, path: Path) -> bool:
        """Whether it concerns this category. A redirect doesn't concern what already stands where it leads."""
        if self.redirect is not None and within(path, self.redirect.to):
            return False
        return path in self.scopes if self.exact else any(within(path, scope) for scope in self.scopes)


@dataclass(frozen=True, slots=True)
class Tag:
    """A situation from the closed list."""

    key: str
    name: Text
    effects: tuple[Effect, ...]

    def redirect(self, path: Path) -> Redirect | None:
        """Where it leads from a category, if anywhere."""
        return next((effect.redirect for effect in self.effects if effect.redirect and effect.reaches(path)), None)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything the service knows. Loaded once, never changed.

    Attributes:
        version: Digest of the data it was read from.
        taxonomy: Every category.
        tags: Every situation; of two that redirect, the earlier one wins.
        rules: By the category they are written for. Every major has one.
    """

    version: str
    taxonomy: Taxonomy
    tags: Mapping[str, Tag]
    rules: Mapping[Path, Rule]

    def match(self, path: Path, tags: Sequence[str]) -> tuple[Rule, ...]:
        """The rules for a category in a situation.

        Args:
            path: The category. One without a rule of its own falls back to the wider one.
            tags: Keys of situation tags; order and repetition don't matter.

        Returns:
            First the rule to follow: the narrowest one, or the one the situation redirects to, with the situation
            worked in. Then the wider rules it stands in, as they are. At most four.

        Raises:
            NotFound: The category isn't in the taxonomy.
            InvalidArgument: A tag isn't in the closed list.
        """
        node = self.taxonomy[path]
        present = self._present(tags)
        target, reasons, redirecting = self._redirected(node.path, present)
        followed = self._shaped(self._narrowest(target), target, present, reasons, redirecting)
        wider = [self.rules[one] for one in lineage(path) if one in self.rules]
        return (followed, *(rule for rule in wider if rule.rule_id != followed.rule_id))

    def _present(self, keys: Iterable[str]) -> list[Tag]:
        """The tags with these keys, in the book's order."""
        wanted = set(keys)
        for unknown in sorted(wanted - self.tags.keys()):
            raise InvalidArgument(Reason.TAG_UNKNOWN, tag=unknown)
        return [tag for tag in self.tags.values() if tag.key in wanted]

    def _narrowest(self, path: Path) -> Rule:
        return next(self.rules[one] for one in lineage(path) if one in self.rules)

    def _redirected(self, path: Path, present: Sequence[Tag]) -> tuple[Path, list[Step], list[str]]:
        """Where the situation leads, with the reasons and the tags that led there. Each tag redirects at most once."""
        reasons, used, left = list[Step](), list[str](), list(present)
        while True:
            hop = next(((tag, redirect) for tag in left if (redirect := tag.redirect(path))), None)
            if hop is None:
                return path, reasons, used
            tag, redirect = hop
            path = redirect.to
            reasons.append(Step(redirect.because))
            used.append(tag.key)
            left.remove(tag)

    def _shaped(
        self, rule: Rule, path: Path, present: Sequence[Tag], reasons: Sequence[Step], redirecting: Sequence[str]
    ) -> Rule:
        """The rule with what the situation changes about it."""
        changing = [
            (tag.key, effect)
            for tag in present
            for effect in tag.effects
            if effect.redirect is None and effect.reaches(path)
        ]
        effects = [effect for _, effect in changing]
        applied = [*redirecting, *(key for key, _ in changing)]
        hazards = (*rule.hazards, *(effect.hazard for effect in effects if effect.hazard))
        containers = [effect.container for effect in effects if effect.container]
        return replace(
            rule,
            steps=(*reasons, *_arranged(rule.steps, effects)),
            container=containers[0] if containers else rule.container,
            hazards=tuple(dict.fromkeys(hazards)),
            applied_tags=tuple(dict.fromkeys(applied)),
        )


def _arranged(own: Sequence[Step], effects: Sequence[Effect]) -> list[Step]:
    """The rule's own steps with the situation's: in place of those about the same, else first or last."""
    places = {step.about for step in own if step.about}
    added = [(effect.step, effect.last) for effect in effects if effect.step]
    placed = {step.about: [one for one, _ in added if one.about == step.about] for step, _ in added}
    first = [step for step, last in added if step.about not in places and not last]
    middle = [one for step in own for one in placed.get(step.about, [step])]
    return [*first, *middle, *(step for step, last in added if step.about not in places and last)]
