"""The rule book: how each category is disposed of, and what a situation or a region changes about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from mesh.errors import InvalidArgument
from mesh.locale import Text
from mesh.reasons import Reason
from rules_svc.collection.freshness import today_in_korea
from rules_svc.rulebook.buildings import JoinedBuilding, district_rule
from rules_svc.rulebook.effects import Effect, Step, Tag
from rules_svc.rulebook.items import Item
from rules_svc.rulebook.overlays import Overlay
from rules_svc.rulebook.regions import Regions, ResolvedRegion
from rules_svc.rulebook.rules import Rule
from rules_svc.rulebook.take_apart import TakeApartPlans, TakeApartStep
from rules_svc.rulebook.taxonomy import Path, Taxonomy, lineage

_NAMELESS = Text("", "")
_NATIONWIDE = Text("전국 공통", "the whole country")
# The bags that a step may name and a region may replace.
_BAGS = ("마대", "종량제봉투")


@dataclass(frozen=True, slots=True)
class MatchedRules:
    """The rules that apply.

    Attributes:
        rules: First the rule to follow, then the wider ones. Never empty.
        overlay: The narrowest region that changed something; the nation's if none did.
        target: The category whose rule is followed: the one asked for, or where the situation leads.
        building: The building that changed something; None if none did.
    """

    rules: tuple[Rule, ...]
    overlay: Overlay
    target: Path
    building: JoinedBuilding | None = None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Taxonomy, rules, tags and regions. Immutable.

    Attributes:
        version: Digest of the data it was read from.
        taxonomy: Every category.
        tags: Every situation; of two that redirect, the earlier one wins.
        rules: By the category they are written for. Every major has one.
        regions: Every region, and what each changes.
        items: Things with names of their own, in the order of the files.
        take_apart_plans: How to take apart what several materials are joined in.
    """

    version: str
    taxonomy: Taxonomy
    tags: Mapping[str, Tag]
    rules: Mapping[Path, Rule]
    regions: Regions
    items: tuple[Item, ...] = ()
    take_apart_plans: TakeApartPlans = field(default_factory=TakeApartPlans)
    _rules_of: Mapping[Path, tuple[Rule, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Of each category its own rule and the wider ones around it.
        rules = {
            node.path: tuple(self.rules[one] for one in lineage(node.path) if one in self.rules)
            for node in self.taxonomy
        }
        object.__setattr__(self, "_rules_of", MappingProxyType(rules))

    def match(self, path: Path, tags: Sequence[str]) -> tuple[Rule, ...]:
        """The national rules for a category in a situation; see `match_in`."""
        return self.match_in(path, tags, ResolvedRegion()).rules

    def match_in(
        self, path: Path, tags: Sequence[str], where: ResolvedRegion, today: date | None = None
    ) -> MatchedRules:
        """The rules for a category in a situation and a region.

        Args:
            path: The category. One without a rule of its own falls back to the wider one.
            tags: Keys of situation tags; order and repetition don't matter.
            where: The region. If one was named, recognised or not, usual days are included even where districts
                differ.
            today: The date that the age of what is known is counted from; the current one if None.

        Returns:
            First the rule to follow: the narrowest one, or the one the situation redirects to, with the situation and
            the region worked in. Then the wider rules it stands in, as they are. At most four.

        Raises:
            NotFound: The category isn't in the taxonomy.
            InvalidArgument: A tag isn't in the closed list.
        """
        node, known = self.taxonomy[path], self.regions.known_of(where.region)
        # Effects of a region come after those of the situation.
        changes = [*self._present(tags), *(Tag("", _NAMELESS, one.differently) for one in known if one.differently)]
        target, reasons, redirecting = self._redirected(node.path, changes)
        plain = self._narrowest(target)
        shaped = self._shaped(plain, target, changes, reasons, redirecting)
        overlays = (*known, self.regions.nation)
        thumb = bool(where.region or where.said)
        followed = _collected(shaped, overlays, today or today_in_korea(), rule_of_thumb=thumb)
        overlay = next((one for one in known if one.concerns(followed.stream, node.path)), self.regions.nation)
        followed, building = self._at_home(followed, target, where, overlay, endangered=shaped.hazards != plain.hazards)
        wider = (rule for rule in self._rules_of[node.path] if rule.rule_id != followed.rule_id)
        return MatchedRules((followed, *wider), overlay, target, building)

    def take_apart(
        self, matched: MatchedRules, tags: Iterable[str], where: ResolvedRegion, own_plan: str = ""
    ) -> tuple[TakeApartStep, ...]:
        """How to take a thing apart, each part with where it goes in the region; empty if it is put out whole.

        Args:
            matched: Its rules, as `match_in` found them.
            tags: Its situation.
            where: The region.
            own_plan: Id of the plan of the item that it is; empty if it has none, or only its category is known.
        """
        plan = self.take_apart_plans.find(matched.target, tags, own_plan)
        followed = matched.rules[0]
        return tuple(
            TakeApartStep(part.name, part.how, part.path, self.match_in(part.path, (), where).rules[0].container)
            if part.path
            else TakeApartStep(part.name, part.how, matched.target, followed.container)
            for part in (plan.parts if plan else ())
        )

    def _at_home(
        self, rule: Rule, path: Path, where: ResolvedRegion, overlay: Overlay, *, endangered: bool
    ) -> tuple[Rule, JoinedBuilding | None]:
        """The rule with what the user's building says, and the building if it says anything."""
        building = where.building
        if building and (own := building.applied(rule, path, self.regions.bins, endangered=endangered)):
            return own, building
        if (building is None and where.absent is None) or rule.stream is None:
            return rule, None
        region = _NATIONWIDE if overlay is self.regions.nation else self.regions.name(overlay.key)
        return district_rule(rule, building, where.absent, region), None

    def _present(self, keys: Iterable[str]) -> list[Tag]:
        """The tags with these keys, in the book's order."""
        wanted = set(keys)
        for unknown in sorted(wanted - self.tags.keys()):
            raise InvalidArgument(Reason.TAG_UNKNOWN, tag=unknown)
        if len(wanted) < 2:  # as most often
            return [self.tags[key] for key in wanted]
        return [tag for key, tag in self.tags.items() if key in wanted]

    def _narrowest(self, path: Path) -> Rule:
        return self._rules_of[path][0]

    def _redirected(self, path: Path, present: Sequence[Tag]) -> tuple[Path, list[Step], list[str]]:
        """Where the situation leads, with the reasons and the tags that led there.

        Each tag redirects at most once, and none leads away from a fixed rule.
        """
        reasons, used, left = list[Step](), list[str](), list(present)
        while True:
            if self._narrowest(path).fixed:
                return path, reasons, used
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
            if effect.redirect is None and effect.reaches(path) and not rule.fixed
        ]
        if not changing and not reasons:
            return rule
        effects = _situation_first(changing)
        applied = [*redirecting, *(key for key, _ in changing)]
        hazards = (*rule.hazards, *(effect.hazard for effect in effects if effect.hazard))
        containers = [effect.container for effect in effects if effect.container]
        return replace(
            rule,
            steps=(*reasons, *_arranged(rule.steps, effects)),
            container=containers[0] if containers else rule.container,
            hazards=tuple(dict.fromkeys(hazards)),
            applied_tags=tuple(dict.fromkeys(key for key in applied if key)),
        )


def _situation_first(changing: Sequence[tuple[str, Effect]]) -> list[Effect]:
    """The effects; a region's step gives way to a situation's about the same."""
    settled = {effect.step.about for key, effect in changing if key and effect.step and effect.step.about}
    return [
        replace(effect, step=None) if not key and effect.step and effect.step.about in settled else effect
        for key, effect in changing
    ]


def _collected(rule: Rule, overlays: Sequence[Overlay], today: date, *, rule_of_thumb: bool) -> Rule:
    """The rule with its region's days, place, bag and fee: each from the narrowest overlay that names it."""
    said = [
        (overlay, collection)
        for overlay in overlays
        if (collection := overlay.collection(rule.stream)) and (rule_of_thumb or not collection.differs)
    ]
    if not said:
        return rule
    container = next((one.container for _, one in said if one.container), None)
    timed = next(((overlay, one) for overlay, one in said if one.when), None)
    return replace(
        rule,
        when=_dated(told, timed[0], today) if timed and (told := timed[1].told) else None,
        hours=timed[1].hours if timed else "",
        hours_as_of=timed[0].as_of if timed and timed[1].hours else "",
        times_as_of=timed[1].times_as_of if timed else "",
        place=next((one.place for _, one in said if one.place), None),
        fee=next((one.fee for _, one in said if one.fee), rule.fee),
        container=container or rule.container,
        steps=tuple(_bagged(step, container) for step in rule.steps) if container else rule.steps,
    )


def _dated(when: Text, overlay: Overlay, today: date) -> Text:
    """Days and hours with how old they are and whom to ask, unless somebody checked them."""
    advice = overlay.advice(today)
    return Text(f"{when.ko} {advice.ko}", f"{when.en} {advice.en}") if advice else when


def _bagged(step: Step, container: Text) -> Step:
    """The step, with the region's bag where it names another one; what else it says stays."""
    named = next((bag for bag in _BAGS if bag in step.text.ko), None)
    if step.about != "bag" or named is None or named in container.ko:
        return step
    korean, english = (text.partition(". ")[2] for text in (step.text.ko, step.text.en))
    return Step(
        Text(f"{container.ko}에 담아요. {korean}".strip(), f"Put it in {container.en}. {english}".strip()), step.about
    )


def _arranged(own: Sequence[Step], effects: Sequence[Effect]) -> list[Step]:
    """The rule's own steps with the situation's: in place of those about the same, else first or last."""
    places = {step.about for step in own if step.about}
    added = [(effect.step, effect.last) for effect in effects if effect.step]
    placed = {step.about: [one for one, _ in added if one.about == step.about] for step, _ in added}
    first = [step for step, last in added if step.about not in places and not last]
    middle = [one for step in own for one in placed.get(step.about, [step])]
    return [*first, *middle, *(step for step, last in added if step.about not in places and last)]
