"""Composes an answer (how, why, where and when) from rules, classification and the user's question.

Every sentence comes from a rule, from the classifier's warning, or from one of the templates below.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesh.locale import Locale, Text
from rules_svc.answers.other_objects import OtherObject, lines_about
from rules_svc.answers.questions import Choice, Questions, Source, Topic
from rules_svc.rulebook.rules import LocalizedPart, LocalizedRule
from rules_svc.rulebook.taxonomy import Path

PROVIDER = "composed"
UNKNOWN: Path = ("미분류",)

# Topics of a question that are answered first; with more of them the reply would repeat the whole rule.
_MOST_TOPICS = 2

_OPENING = Text("{title}, 이렇게 버려요.", "{title}: what to do.")
_WHERE = Text("버리는 곳: {container}", "Where: {container}")
_PLACE = Text("{where} · {place}", "{where}, {place}")
_WHEN = Text("내놓는 때: {when}", "When: {when}")
_DIFFERS = Text(
    "지역마다 달라요. 구청이나 행정복지센터(주민센터)에 확인하세요.",
    "it differs by district; ask your district office (구청).",
)
_FEE = Text("수수료: {fee}", "Fee: {fee}")
_NAME = Text("사진 속 물건은 ‘{title}’ 같아요.", "It looks like this: {title}.")
_INSTEAD = Text("‘{item}’: {instead}", "{item}: {instead}")


@dataclass(frozen=True, slots=True)
class Classification:
    """What the classifier says a photo shows.

    Attributes:
        path: The category.
        display_name: Its name in the locale.
        tags: Situation tags.
        warning: Belongs in every answer, whatever the rules say. Empty if there is none.
        candidates: Names of what it might be, most likely first.
        said: Name of what the user wrote that it is, if that is another thing. Empty if they agree.
        others: The other things in the photo, the most prominent first.
    """

    path: Path
    display_name: str = ""
    tags: tuple[str, ...] = ()
    warning: str = ""
    candidates: tuple[str, ...] = ()
    said: str = ""
    others: tuple[OtherObject, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelAttempt:
    """A model that was asked first and whose answer was missing or not backed by the rules."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, as the user reads it.

    Attributes:
        text: The parts below, joined: how, why, where, when.
        how: How to dispose of it; the person's own question is answered first.
        why: Why.
        where: Bag, bin or place.
        insufficiencies: What the answer lacks, each as one question to the user.
        rule_ids: The rules it was made from.
        provider: Who wrote it.
        when: When to put it out; empty if the photo wasn't recognised.
        choices: Replies that would settle the first insufficiency.
        model: The exact model that wrote it; empty when composed.
        prompt_version: Version of its prompt.
        passed_over: Models that were asked before, in order.
        parts: How to take the thing apart, in order; the first rule's own, whoever wrote the text.
    """

    text: str
    how: str
    why: str
    where: str
    insufficiencies: tuple[str, ...]
    rule_ids: tuple[str, ...]
    provider: str = PROVIDER
    when: str = ""
    choices: tuple[str, ...] = ()
    model: str = ""
    prompt_version: str = ""
    passed_over: tuple[ModelAttempt, ...] = ()
    parts: tuple[LocalizedPart, ...] = ()


@dataclass(frozen=True, slots=True)
class _QuestionAnswer:
    """The answer to the user's own question, and the rules it comes from."""

    lines: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    understood: bool = True
    needs_region: bool = False


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One thing that an answer lacks, as a question to the user.

    Attributes:
        ask: The question, in the locale.
        choices: Replies that settle it.
        names: Names of categories that settle it, to offer beside the choices.
        any_name: Whether the name of a category settles it.
        tag: The situation that raises the question and is removed by its answer; empty if a category raises it.
        region: Whether a region settles it.
        topic: Whether another question settles it, because the first one wasn't understood.
    """

    ask: str
    choices: tuple[Choice, ...] = ()
    names: tuple[str, ...] = ()
    any_name: bool = False
    tag: str = ""
    region: bool = False
    topic: bool = False


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes answers.

    Attributes:
        questions: What users ask, and what they are asked back.
    """

    questions: Questions

    def compose(
        self, classification: Classification, rules: Sequence[LocalizedRule], question: str, locale: Locale
    ) -> Answer:
        """Composes an answer from the rules alone.

        Args:
            classification: What the photo shows.
            rules: The rule to follow first, then wider ones. At least one.
            question: The user's own words; may be empty.
            locale: Language of the templates and of the questions asked back.
        """
        followed = rules[0]
        reply = self._answer_question(classification, rules, question, locale)
        how = "\n".join([*reply.lines, *_instructions(classification, followed, self.questions.topics, locale)])
        where, when = _where(followed, locale), _when(classification, followed, locale)
        unsettled = list(self._open(classification, question, reply, locale))
        return Answer(
            text="\n\n".join(part for part in (how, followed.why, where, when) if part),
            how=how,
            why=followed.why,
            where=where,
            insufficiencies=tuple(one.ask for one in unsettled),
            rule_ids=tuple(dict.fromkeys((followed.rule_id, *reply.rule_ids))),
            when=when,
            parts=followed.parts,
            choices=tuple(
                label
                for one in unsettled[:1]
                for label in (*(choice.label[locale] for choice in one.choices), *one.names)
            ),
        )

    def open(
        self, classification: Classification, rules: Sequence[LocalizedRule], question: str, locale: Locale
    ) -> tuple[OpenQuestion, ...]:
        """The questions that an answer leaves open. Arguments as for `compose`."""
        return tuple(
            self._open(classification, question, self._answer_question(classification, rules, question, locale), locale)
        )

    def _answer_question(
        self, classification: Classification, rules: Sequence[LocalizedRule], question: str, locale: Locale
    ) -> _QuestionAnswer:
        # If the photo wasn't recognised there is nothing to answer with; `_open` asks what it is.
        if classification.path == UNKNOWN or not self.questions.asking.within(question):
            return _QuestionAnswer()
        excluded = [
            (_INSTEAD[locale].format(item=item, instead=instead), rule.rule_id)
            for rule in rules
            for item, instead in rule.exclusions
            if _mentions(question, item)
        ]
        if excluded:
            line, rule_id = excluded[0]
            return _QuestionAnswer((line,), (rule_id,))
        topics = self.questions.about(question)
        replies = [_about(topic, classification, rules[0], locale) for topic in topics[:_MOST_TOPICS]]
        lines = tuple(dict.fromkeys(line for line in replies if line))
        needs_region = not rules[0].when and any(topic.source is Source.WHEN for topic in topics[:_MOST_TOPICS])
        return _QuestionAnswer(lines, understood=bool(topics), needs_region=needs_region)

    def _open(
        self, classification: Classification, question: str, reply: _QuestionAnswer, locale: Locale
    ) -> Iterator[OpenQuestion]:
        if classification.said:
            seen, said = classification.display_name, classification.said
            ask = self.questions.contradicted[locale].format(seen=seen, said=said)
            yield OpenQuestion(ask, names=(seen, said), any_name=True)
        for category in self.questions.open:
            if category.stays_open(classification.path, classification.tags, question):
                names = classification.candidates if category.ask_which else ()
                which = category.ask_which if names else None
                ask = (which or category.ask)[locale].format(candidates=", ".join(names))
                yield OpenQuestion(ask, category.choices, names, category.any_name)
        for tag in self.questions.open_tags:
            if tag.tag in classification.tags:
                yield OpenQuestion(tag.ask[locale], any_name=True, tag=tag.tag)
        if reply.needs_region:
            yield OpenQuestion(self.questions.region[locale], region=True)
        if not reply.understood:
            yield OpenQuestion(self.questions.unanswered[locale], topic=True)


def _instructions(
    classification: Classification, rule: LocalizedRule, topics: Sequence[Topic], locale: Locale
) -> Iterator[str]:
    """First line, numbered steps, fee and hazards; then where the other things in the photo go, and their hazards."""
    if classification.path != UNKNOWN:
        yield _OPENING[locale].format(title=rule.title)
    for number, step in enumerate(rule.steps, start=1):
        yield f"{number}. {step}"
    if rule.fee:
        yield _FEE[locale].format(fee=rule.fee)
    hazards: Sequence[str] = rule.hazards
    if warning := classification.warning:
        hazards = [warning, *(hazard for hazard in hazards if not _same_danger(hazard, warning, topics))]
    for hazard in hazards:
        yield f"⚠ {hazard}"
    yield from lines_about(classification.others, hazards, locale)


def _about(topic: Topic, classification: Classification, rule: LocalizedRule, locale: Locale) -> str | None:
    """The part of a rule that answers a topic; None if the whole answer does."""
    match topic.source:
        case Source.STEPS | Source.HAZARDS:
            told = (*rule.steps, *rule.hazards) if topic.source is Source.STEPS else rule.hazards
            found = next((line for line in told if topic.answered_by(line)), None)
            return found or (topic.unsaid[locale] if topic.unsaid else None)
        case Source.CONTAINER:
            return _where(rule, locale)
        case Source.WHEN:
            return _when(classification, rule, locale)
        case Source.FEE:
            unsaid = topic.unsaid[locale] if topic.unsaid else None
            return _FEE[locale].format(fee=rule.fee) if rule.fee else unsaid
        case Source.WHY:
            return rule.why
        case Source.NAME:
            return _NAME[locale].format(title=classification.display_name or rule.title)
        case Source.ALL:
            return None


def _where(rule: LocalizedRule, locale: Locale) -> str:
    where = _WHERE[locale].format(container=rule.container)
    return _PLACE[locale].format(where=where, place=rule.place) if rule.place else where


def _when(classification: Classification, rule: LocalizedRule, locale: Locale) -> str:
    if not rule.when and classification.path == UNKNOWN:
        return ""
    when = _WHEN[locale].format(when=rule.when or _DIFFERS[locale])
    return f"{when} {rule.local_source}" if rule.local_source else when


def _same_danger(hazard: str, warning: str, topics: Sequence[Topic]) -> bool:
    """Whether a rule's hazard would only repeat the classifier's warning."""
    dangers = [topic.told for topic in topics if topic.source is Source.HAZARDS]
    return any(words.within(hazard) and words.within(warning) for words in dangers)


def _mentions(question: str, item: str) -> bool:
    """Whether a question is about something a rule excludes: all words of one of its names, "·" parting the names."""
    asked = question.casefold()
    return any(all(word.rstrip("s") in asked for word in name.split()) for name in item.casefold().split("·"))
