"""Protos of the Rules service to its domain and back.

Those of FindPlaces stand in `rules_svc.places.wire`, those of answers and replies in `rules_svc.answers.wire`.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.locale import Locale
from rules_svc import regions_wire
from rules_svc.answers.remarks import RemarkReader, Subject
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.rulebook import MatchedRules, Rulebook
from rules_svc.rulebook.rules import LocalizedPart, LocalizedRule
from rules_svc.rulebook.take_apart import TakeApartStep
from rules_svc.rulebook.taxonomy import Category, Node, Path, Taxonomy, lineage
from rules_svc.search.matches import ItemMatch

DEFAULT_ITEMS = 5


def to_path(category: classification_pb2.Category) -> Path:
    """The category's keys, empty levels left out."""
    return to_keys([key for key in (category.major, category.middle, category.minor) if key])


def to_keys(texts: Sequence[str]) -> tuple[str, ...]:
    """Keys in NFC, as the rule book has them: some keyboards send Korean syllables as separate letters."""
    return tuple(unicodedata.normalize("NFC", text) for text in texts)


def to_rule(rule: disposal_pb2.DisposalRule) -> LocalizedRule:
    """A rule as MatchRules returned it."""
    return _rule(rule.SerializeToString())


@lru_cache(maxsize=1024)
def _rule(content: bytes) -> LocalizedRule:
    """Cached by its bytes, since reading a rule's fields takes five times as long as serializing it."""
    rule = disposal_pb2.DisposalRule.FromString(content)
    return LocalizedRule(
        rule_id=rule.rule_id,
        path=to_path(rule.category),
        title=rule.title,
        steps=tuple(rule.steps),
        why=rule.why,
        container=rule.container,
        exclusions=tuple((exclusion.item, exclusion.instead) for exclusion in rule.exclusions),
        hazards=tuple(rule.hazards),
        source=rule.source,
        applied_tags=tuple(rule.applied_tags),
        fee=rule.fee,
        when=rule.when,
        place=rule.place,
        local_source=rule.local_source,
        parts=tuple(_to_part(step) for step in rule.take_apart),
    )


def _to_part(step: disposal_pb2.TakeApartStep) -> LocalizedPart:
    kind = step.category
    return LocalizedPart(step.part, step.how, Category(kind.major, kind.middle, kind.minor), step.container)


def from_part(part: LocalizedPart) -> disposal_pb2.TakeApartStep:
    """A part of a thing, as a rule had it."""
    kind = part.category
    category = classification_pb2.Category(major=kind.major, middle=kind.middle, minor=kind.minor)
    return disposal_pb2.TakeApartStep(part=part.name, how=part.how, category=category, container=part.container)


def from_rule(rule: LocalizedRule, taxonomy: Taxonomy) -> disposal_pb2.DisposalRule:
    """A rule in one language."""
    return disposal_pb2.DisposalRule(
        rule_id=rule.rule_id,
        category=from_path(rule.path, taxonomy),
        title=rule.title,
        steps=rule.steps,
        why=rule.why,
        container=rule.container,
        exclusions=[disposal_pb2.Exclusion(item=item, instead=instead) for item, instead in rule.exclusions],
        hazards=rule.hazards,
        applied_tags=rule.applied_tags,
        source=rule.source,
        fee=rule.fee,
        when=rule.when,
        place=rule.place,
        local_source=rule.local_source,
    )


def from_step(step: TakeApartStep, taxonomy: Taxonomy, locale: Locale) -> disposal_pb2.TakeApartStep:
    """A part of a thing in one language."""
    return disposal_pb2.TakeApartStep(
        part=step.name[locale],
        how=step.how[locale],
        category=from_path(step.path, taxonomy),
        container=step.container[locale],
    )


def to_subject(request: rules_service_pb2.MatchRulesRequest, remarks: RemarkReader) -> Subject:
    """What rules are wanted for, by what the photo shows and the user says."""
    today = remarks.book.taxonomy.today
    path, tags = today(to_path(request.category)), to_keys(request.tags)
    candidates = [today(to_path(candidate)) for candidate in request.candidates]
    if not request.user_input and not candidates:
        return Subject(path, tags)
    return remarks.subject(path, tags, candidates, request.user_input)


def from_matched(
    path: Path,
    tags: Sequence[str],
    matched: MatchedRules,
    where: ResolvedRegion,
    book: Rulebook,
    locale: Locale,
    today: date | None = None,
) -> rules_service_pb2.MatchRulesResponse:
    """The rules that apply to a category in a situation, in one language; ages are counted to `today`."""
    return rules_service_pb2.MatchRulesResponse(
        category=from_path(path, book.taxonomy),
        display_name=book.taxonomy[path].name[locale],
        tags=tags,
        rules=[from_rule(rule.localized(locale), book.taxonomy) for rule in matched.rules],
        rulebook_version=book.version,
        applied_region=matched.overlay.key,
        region=regions_wire.from_applied(matched, where, book.regions, locale, today),
    )


def with_subject(
    matched: rules_service_pb2.MatchRulesResponse,
    subject: Subject,
    others: Sequence[rules_service_pb2.MatchRulesResponse],
    book: Rulebook,
    locale: Locale,
) -> rules_service_pb2.MatchRulesResponse:
    """The same with what the user's words name, and with the first rule of each of `subject.candidates`."""
    response = rules_service_pb2.MatchRulesResponse()
    response.CopyFrom(matched)
    if subject.said:
        response.said.CopyFrom(_from_named(subject.said, book.taxonomy, locale))
        if subject.said.path == subject.path:
            response.display_name = response.said.display_name
            if note := subject.said.note:
                response.rules[0].steps.append(note[locale])
    for other in others:
        response.candidates.add(category=other.category, display_name=other.display_name)
        response.rules.add().CopyFrom(other.rules[0])
        response.rules[-1].candidate.CopyFrom(other.category)
    return response


def to_main_object(request: rules_service_pb2.MatchRulesRequest) -> int | None:
    """Place of the object that the request's other fields are about: the first of its category; None if none is."""
    return next((place for place, one in enumerate(request.objects) if one.category == request.category), None)


def with_objects(
    matched: rules_service_pb2.MatchRulesResponse,
    objects: Iterable[classification_pb2.DetectedObject],
    rules: Iterable[disposal_pb2.DisposalRule],
) -> rules_service_pb2.MatchRulesResponse:
    """The same with the rule to follow for each object."""
    response = rules_service_pb2.MatchRulesResponse()
    response.CopyFrom(matched)
    for one, rule in zip(objects, rules, strict=True):
        own = response.object_rules.add()
        own.CopyFrom(rule)
        own.object_id = one.object_id
        own.ClearField("candidate")
    return response


def _from_named(found: ItemMatch, taxonomy: Taxonomy, locale: Locale) -> classification_pb2.Candidate:
    name = taxonomy[found.path].name[locale]
    if found.item:  # things that go the same way share an item: a name of it in this language is the user's own
        own = found.matched in found.item.also[locale]
        name = found.matched if own else found.item.name[locale]
    return classification_pb2.Candidate(category=from_path(found.path, taxonomy), display_name=name)


def from_path(path: Path, taxonomy: Taxonomy) -> classification_pb2.Category:
    """A category's keys."""
    category = taxonomy.category(path)
    return classification_pb2.Category(major=category.major, middle=category.middle, minor=category.minor)


def from_book(book: Rulebook, locale: Locale) -> rules_service_pb2.GetTaxonomyResponse:
    """The taxonomy and the tags in one language."""
    return rules_service_pb2.GetTaxonomyResponse(
        majors=[_from_node(major, locale) for major in book.taxonomy.majors],
        tags=[rules_service_pb2.SituationTag(key=tag.key, display_name=tag.name[locale]) for tag in book.tags.values()],
        rulebook_version=book.version,
    )


def not_modified(book: Rulebook) -> rules_service_pb2.GetTaxonomyResponse:
    """The response to a client that has this version already."""
    return rules_service_pb2.GetTaxonomyResponse(rulebook_version=book.version, not_modified=True)


def to_item_limit(request: rules_service_pb2.SearchItemsRequest) -> int:
    """How many items."""
    return request.limit if request.HasField("limit") else DEFAULT_ITEMS


def from_item_match(
    found: ItemMatch, taxonomy: Taxonomy, locale: Locale, told: Sequence[str] = ()
) -> rules_service_pb2.ItemMatch:
    """An item that was found by name, in one language, with the situations that the question told."""
    above = [taxonomy[path].name[locale] for path in reversed(lineage(found.path))]
    return rules_service_pb2.ItemMatch(
        category=from_path(found.path, taxonomy),
        display_name=above[-1],
        category_path=above,
        matched_text=found.matched,
        score=round(found.score, 3),
        sure=found.sure,
        tags=dict.fromkeys((*found.tags, *told)),
        note=found.note[locale] if found.note else "",
        source=found.item.source[locale] if found.item else "",
        as_of=found.item.as_of if found.item else "",
    )


def _from_node(node: Node, locale: Locale) -> rules_service_pb2.TaxonomyNode:
    return rules_service_pb2.TaxonomyNode(
        key=node.path[-1],
        display_name=node.name[locale],
        synonyms=node.synonyms[locale],
        children=[_from_node(child, locale) for child in node.children],
    )
