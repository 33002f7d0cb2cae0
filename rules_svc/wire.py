"""Protos of the Rules service to its domain and back; those of FindPlaces: `rules_svc.places.wire`."""

import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.grpc.proto_mirror import to_proto
from mesh.locale import Locale
from mesh.models.usage import Usage
from rules_svc.answers.composer import UNKNOWN, Answer, Classification
from rules_svc.answers.corrections import Verdict
from rules_svc.answers.interpreter import MOST_CANDIDATES, KnownFacts
from rules_svc.answers.remarks import RemarkReader, Subject
from rules_svc.rulebook.notices import notice
from rules_svc.rulebook.overlays import Overlay
from rules_svc.rulebook.regions import Regions, ResolvedRegion
from rules_svc.rulebook.rulebook import MatchedRules, Rulebook
from rules_svc.rulebook.rules import LocalizedRule
from rules_svc.rulebook.taxonomy import Node, Path, Taxonomy, lineage, within
from rules_svc.search.index import ItemMatch

DEFAULT_ITEMS = 5
USER = "user"
"""Provider of a classification that the user made themselves."""
_VERDICTS = {
    Verdict.UNSAID: rules_service_pb2.InterpretReplyResponse.VERDICT_UNSPECIFIED,
    Verdict.CONFIRMED: rules_service_pb2.InterpretReplyResponse.VERDICT_CONFIRMED,
    Verdict.CORRECTED: rules_service_pb2.InterpretReplyResponse.VERDICT_CORRECTED,
    Verdict.DENIED: rules_service_pb2.InterpretReplyResponse.VERDICT_DENIED,
}


def to_path(category: classification_pb2.Category) -> Path:
    """The category's keys, empty levels left out."""
    return to_keys([key for key in (category.major, category.middle, category.minor) if key])


def to_keys(texts: Sequence[str]) -> tuple[str, ...]:
    """Keys in NFC, as the rule book has them: some keyboards send Korean syllables as separate letters."""
    return tuple(unicodedata.normalize("NFC", text) for text in texts)


def to_classification(classification: classification_pb2.Classification) -> Classification:
    """What is known of a photo, by the classifier and by the user."""
    path, said = to_path(classification.category), classification.said
    return Classification(
        path=path,
        display_name=classification.display_name,
        tags=to_keys(classification.tags),
        warning=classification.warning,
        candidates=tuple(candidate.display_name for candidate in classification.candidates if candidate.display_name),
        said=said.display_name if said.display_name and to_path(said.category) != path else "",
    )


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
    )


def from_rule(rule: LocalizedRule, taxonomy: Taxonomy) -> disposal_pb2.DisposalRule:
    """A rule in one language."""
    return disposal_pb2.DisposalRule(
        rule_id=rule.rule_id,
        category=_from_path(rule.path, taxonomy),
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
    )


def to_region(
    request: rules_service_pb2.MatchRulesRequest | rules_service_pb2.Waste, regions: Regions
) -> ResolvedRegion:
    """The region asked for."""
    here = request.location
    return regions.find(request.region, (here.latitude, here.longitude) if request.HasField("location") else None)


def to_subject(request: rules_service_pb2.MatchRulesRequest, remarks: RemarkReader) -> Subject:
    """What rules are wanted for, by what the photo shows and the user says."""
    path, tags = to_path(request.category), to_keys(request.tags)
    candidates = [to_path(candidate) for candidate in request.candidates]
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
        category=_from_path(path, book.taxonomy),
        display_name=book.taxonomy[path].name[locale],
        tags=tags,
        rules=[from_rule(rule.localized(locale), book.taxonomy) for rule in matched.rules],
        rulebook_version=book.version,
        applied_region=matched.overlay.key,
        region=from_overlay(matched.overlay, where, book.regions, locale, today),
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


def _from_named(found: ItemMatch, taxonomy: Taxonomy, locale: Locale) -> classification_pb2.Candidate:
    name = found.item.name if found.item else taxonomy[found.path].name
    return classification_pb2.Candidate(category=_from_path(found.path, taxonomy), display_name=name[locale])


def _from_path(path: Path, taxonomy: Taxonomy) -> classification_pb2.Category:
    category = taxonomy.category(path)
    return classification_pb2.Category(major=category.major, middle=category.middle, minor=category.minor)


def from_overlay(
    overlay: Overlay, where: ResolvedRegion, regions: Regions, locale: Locale, today: date | None
) -> disposal_pb2.AppliedRegion:
    """The region whose rules applied, in one language."""
    region = regions.of_key(overlay.key)
    return disposal_pb2.AppliedRegion(
        code=region.code if region else "",
        key=overlay.key,
        display_name=regions.name(overlay.key)[locale],
        level=disposal_pb2.AppliedRegion.Level.Value(f"LEVEL_{regions.level(overlay.key)}"),
        as_of=overlay.as_of,
        source=overlay.source[locale],
        verified=overlay.verified,
        asked=where.region.key if where.region else "",
        notice=notice(where, overlay, regions, locale, today),
    )


def from_known_facts(
    known: KnownFacts | None,
    request: rules_service_pb2.InterpretReplyRequest,
    taxonomy: Taxonomy,
    message: str,
    locale: Locale,
) -> rules_service_pb2.InterpretReplyResponse:
    """What is known after the reply; if it settled nothing (None), the request's own fields."""
    response = rules_service_pb2.InterpretReplyResponse(
        understood=known is not None,
        classification=request.classification,
        question=known.question if known else request.question,
        region=known.region if known else request.region,
        message=message,
        verdict=_VERDICTS[_verdict(known, request.classification)],
    )
    if known is None:
        return response
    found = response.classification
    found.tags[:] = known.tags
    # Whatever the user wrote before, it is settled now.
    found.ClearField("said")
    if known.path != to_path(request.classification.category):
        found.seen.CopyFrom(_sighting(request.classification))
        found.category.CopyFrom(_from_path(known.path, taxonomy))
        found.display_name = taxonomy[known.path].name[locale]
        if known.path != UNKNOWN:
            found.said.CopyFrom(classification_pb2.Candidate(category=found.category, display_name=found.display_name))
        # These describe the classifier's category, which the user has corrected.
        for field in ("warning", "confidence", "candidates", "material", "form"):
            found.ClearField(field)
        found.provider, found.model = USER, ""
    if known.verdict is Verdict.DENIED:
        found.candidates.extend(_other_candidates(known, request.classification, taxonomy, locale))
    return response


def _verdict(known: KnownFacts | None, before: classification_pb2.Classification) -> Verdict:
    """What a reply says of the classification: as it says, or by what it chose where the photo alone left it open."""
    if known is None or known.verdict is not Verdict.UNSAID:
        return known.verdict if known else Verdict.UNSAID
    seen = to_path(before.category)
    if known.path != seen and (seen == UNKNOWN or known.path == to_path(before.said.category)):
        return Verdict.CORRECTED
    return Verdict.CONFIRMED if known.path != seen and within(known.path, seen) else Verdict.UNSAID


def _sighting(before: classification_pb2.Classification) -> classification_pb2.Sighting:
    """What the classifier said, whatever the user has said since."""
    if before.HasField("seen"):
        return before.seen
    seen = classification_pb2.Sighting(
        category=before.category, display_name=before.display_name, provider=before.provider, model=before.model
    )
    if before.HasField("confidence"):
        seen.confidence = before.confidence
    return seen


def _other_candidates(
    known: KnownFacts, before: classification_pb2.Classification, taxonomy: Taxonomy, locale: Locale
) -> list[classification_pb2.Candidate]:
    """What it may be instead: what the reply may have named, then what else the classifier had thought of."""
    named = [
        classification_pb2.Candidate(category=_from_path(path, taxonomy), display_name=taxonomy[path].name[locale])
        for path in known.candidates
    ]
    others = (one for one in before.candidates if one.category != before.category)
    return [*named, *(one for one in others if to_path(one.category) not in known.candidates)][:MOST_CANDIDATES]


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
        category=_from_path(found.path, taxonomy),
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


def from_composed(event: str | Answer, usage: Usage | None = None) -> rules_service_pb2.ComposeAnswerResponse:
    """One message of the stream: a piece of the draft, or the answer that ends it, with what it cost."""
    if isinstance(event, str):
        return rules_service_pb2.ComposeAnswerResponse(text_delta=event)
    answer = disposal_pb2.Answer(
        text=event.text,
        how=event.how,
        why=event.why,
        where=event.where,
        when=event.when,
        choices=event.choices,
        insufficiencies=event.insufficiencies,
        rule_ids=event.rule_ids,
        provider=event.provider,
        model=event.model,
        prompt_version=event.prompt_version,
        passed_over=[
            classification_pb2.ModelAttempt(model=attempt.model, reason=attempt.reason) for attempt in event.passed_over
        ],
    )
    cost = to_proto(usage, classification_pb2.Usage) if usage else None
    return rules_service_pb2.ComposeAnswerResponse(answer=answer, usage=cost)


def _from_node(node: Node, locale: Locale) -> rules_service_pb2.TaxonomyNode:
    return rules_service_pb2.TaxonomyNode(
        key=node.path[-1],
        display_name=node.name[locale],
        synonyms=node.synonyms[locale],
        children=[_from_node(child, locale) for child in node.children],
    )
