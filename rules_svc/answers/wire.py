"""Protos of ComposeAnswer, AdviseDisposal and InterpretReply to the domain and back."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.grpc.proto_mirror import to_proto
from mesh.locale import Locale
from mesh.models.usage import Usage
from rules_svc.answers.composer import UNKNOWN, Answer, Classification
from rules_svc.answers.corrections import Verdict
from rules_svc.answers.interpreter import MOST_CANDIDATES, KnownFacts
from rules_svc.answers.other_objects import OtherObject
from rules_svc.rulebook.taxonomy import Path, Taxonomy, within
from rules_svc.wire import from_part, from_path, to_keys, to_path, to_rule

# Provider of a classification that the user made themselves.
USER = "user"
_VERDICTS = {
    Verdict.UNSAID: rules_service_pb2.InterpretReplyResponse.VERDICT_UNSPECIFIED,
    Verdict.CONFIRMED: rules_service_pb2.InterpretReplyResponse.VERDICT_CONFIRMED,
    Verdict.CORRECTED: rules_service_pb2.InterpretReplyResponse.VERDICT_CORRECTED,
    Verdict.DENIED: rules_service_pb2.InterpretReplyResponse.VERDICT_DENIED,
}


def to_classification(
    classification: classification_pb2.Classification,
    taxonomy: Taxonomy,
    object_rules: Iterable[disposal_pb2.DisposalRule] = (),
) -> Classification:
    """What is known of a photo, by the classifier and by the user; in today's categories."""
    path = taxonomy.today(to_path(classification.category))
    return Classification(
        path=path,
        display_name=classification.display_name,
        tags=to_keys(classification.tags),
        warning=classification.warning,
        candidates=_names(classification.candidates),
        said=_another(classification.said, path, taxonomy),
        others=_others(classification, object_rules),
    )


def _others(
    classification: classification_pb2.Classification, object_rules: Iterable[disposal_pb2.DisposalRule]
) -> tuple[OtherObject, ...]:
    """The things beside the one that the answer is about: the first of its category."""
    rules = {rule.object_id: rule for rule in object_rules}
    main = next((one.object_id for one in classification.objects if one.category == classification.category), None)
    return tuple(
        OtherObject(one.display_name, to_rule(rules[one.object_id]))
        for one in classification.objects
        if one.object_id != main and one.object_id in rules and to_path(one.category) != UNKNOWN
    )


def to_match_request(request: rules_service_pb2.AdviseDisposalRequest) -> rules_service_pb2.MatchRulesRequest:
    """The first half of what is asked; candidates matter only while it isn't known what the photo shows."""
    found = request.classification
    unknown = to_path(found.category) == UNKNOWN
    return rules_service_pb2.MatchRulesRequest(
        category=found.category,
        tags=found.tags,
        region=request.region,
        location=request.location if request.HasField("location") else None,
        building=request.building,
        user_input=request.user_input,
        candidates=[candidate.category for candidate in found.candidates] if unknown else (),
        objects=found.objects,
    )


def to_remarked(
    classification: classification_pb2.Classification,
    matched: rules_service_pb2.MatchRulesResponse,
    taxonomy: Taxonomy,
) -> Classification:
    """What is known of a photo once the user's words are worked in, by the rules that were matched for both."""
    path, named = to_path(matched.category), matched.HasField("said")
    found = replace(
        to_classification(classification, taxonomy, matched.object_rules),
        path=path,
        tags=to_keys(matched.tags),
        said=_another(matched.said if named else classification.said, path, taxonomy),
    )
    if matched.category != classification.category:
        found = replace(found, display_name=matched.display_name)
        # These describe the classifier's category, in whose place the words put another one.
        return replace(found, warning="", candidates=()) if named else found
    if path != UNKNOWN:
        return found
    seen = {to_path(candidate.category): candidate for candidate in classification.candidates}
    return replace(found, candidates=_names(seen.get(to_path(one.category), one) for one in matched.candidates))


def _names(candidates: Iterable[classification_pb2.Candidate]) -> tuple[str, ...]:
    return tuple(candidate.display_name for candidate in candidates if candidate.display_name)


def _another(said: classification_pb2.Candidate, path: Path, taxonomy: Taxonomy) -> str:
    """What the user's words name, if that is another category."""
    return said.display_name if said.display_name and taxonomy.today(to_path(said.category)) != path else ""


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
        verdict=_VERDICTS[_verdict(known, request.classification, taxonomy)],
    )
    if known is None:
        return response
    found = response.classification
    found.tags[:] = known.tags
    # Whatever the user wrote before, it is settled now.
    found.ClearField("said")
    if known.path != taxonomy.today(to_path(request.classification.category)):
        found.seen.CopyFrom(_sighting(request.classification))
        found.category.CopyFrom(from_path(known.path, taxonomy))
        found.display_name = taxonomy[known.path].name[locale]
        _rename_main_object(found, request.classification.category)
        if known.path != UNKNOWN:
            found.said.CopyFrom(classification_pb2.Candidate(category=found.category, display_name=found.display_name))
        # These describe the classifier's category, which the user has corrected.
        for field in ("warning", "confidence", "candidates", "material", "form"):
            found.ClearField(field)
        found.provider, found.model = USER, ""
    if known.verdict is Verdict.DENIED:
        found.candidates.extend(_other_candidates(known, request.classification, taxonomy, locale))
    return response


def _rename_main_object(found: classification_pb2.Classification, before: classification_pb2.Category) -> None:
    """Gives the main object the category that the classification has now, unless another object has it already."""
    main = next((one for one in found.objects if one.category == before), None)
    if main is None or any(one.category == found.category for one in found.objects):
        return
    main.category.CopyFrom(found.category)
    main.display_name = found.display_name
    for field in ("confidence", "material", "form"):
        main.ClearField(field)


def _verdict(known: KnownFacts | None, before: classification_pb2.Classification, taxonomy: Taxonomy) -> Verdict:
    """What a reply says of the classification: as it says, or by what it chose where the photo alone left it open."""
    if known is None or known.verdict is not Verdict.UNSAID:
        return known.verdict if known else Verdict.UNSAID
    seen, said = (taxonomy.today(to_path(one)) for one in (before.category, before.said.category))
    if known.path != seen and (seen == UNKNOWN or known.path == said):
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
        classification_pb2.Candidate(category=from_path(path, taxonomy), display_name=taxonomy[path].name[locale])
        for path in known.candidates
    ]
    others = (one for one in before.candidates if one.category != before.category)
    return [*named, *(one for one in others if taxonomy.today(to_path(one.category)) not in known.candidates)][
        :MOST_CANDIDATES
    ]


def from_composed(event: str | Answer, usage: Usage | None = None) -> rules_service_pb2.ComposeAnswerResponse:
    """One message of the stream: a piece of the draft, or the answer that ends it, with what it cost."""
    return rules_service_pb2.ComposeAnswerResponse(**_written(event, usage))


def from_advised(event: str | Answer, usage: Usage | None = None) -> rules_service_pb2.AdviseDisposalResponse:
    """The same after rules."""
    return rules_service_pb2.AdviseDisposalResponse(**_written(event, usage))


def _written(event: str | Answer, usage: Usage | None) -> dict[str, Any]:
    """The fields that both streams have."""
    if isinstance(event, str):
        return {"text_delta": event}
    return {"answer": from_answer(event), "usage": to_proto(usage, classification_pb2.Usage) if usage else None}


def from_answer(answer: Answer) -> disposal_pb2.Answer:
    """A whole answer."""
    return disposal_pb2.Answer(
        text=answer.text,
        how=answer.how,
        why=answer.why,
        where=answer.where,
        when=answer.when,
        choices=answer.choices,
        insufficiencies=answer.insufficiencies,
        rule_ids=answer.rule_ids,
        provider=answer.provider,
        model=answer.model,
        prompt_version=answer.prompt_version,
        passed_over=[
            classification_pb2.ModelAttempt(model=attempt.model, reason=attempt.reason)
            for attempt in answer.passed_over
        ],
        take_apart=[from_part(part) for part in answer.parts],
    )
