"""Protos of ComposeAnswer and InterpretReply to the domain and back."""

from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.grpc.proto_mirror import to_proto
from mesh.locale import Locale
from mesh.models.usage import Usage
from rules_svc.answers.composer import UNKNOWN, Answer, Classification
from rules_svc.answers.corrections import Verdict
from rules_svc.answers.interpreter import MOST_CANDIDATES, KnownFacts
from rules_svc.rulebook.taxonomy import Taxonomy, within
from rules_svc.wire import from_path, to_keys, to_path

# Provider of a classification that the user made themselves.
USER = "user"
_VERDICTS = {
    Verdict.UNSAID: rules_service_pb2.InterpretReplyResponse.VERDICT_UNSPECIFIED,
    Verdict.CONFIRMED: rules_service_pb2.InterpretReplyResponse.VERDICT_CONFIRMED,
    Verdict.CORRECTED: rules_service_pb2.InterpretReplyResponse.VERDICT_CORRECTED,
    Verdict.DENIED: rules_service_pb2.InterpretReplyResponse.VERDICT_DENIED,
}


def to_classification(classification: classification_pb2.Classification, taxonomy: Taxonomy) -> Classification:
    """What is known of a photo, by the classifier and by the user; in today's categories."""
    path, said = taxonomy.today(to_path(classification.category)), classification.said
    return Classification(
        path=path,
        display_name=classification.display_name,
        tags=to_keys(classification.tags),
        warning=classification.warning,
        candidates=tuple(candidate.display_name for candidate in classification.candidates if candidate.display_name),
        said=said.display_name if said.display_name and taxonomy.today(to_path(said.category)) != path else "",
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
        if known.path != UNKNOWN:
            found.said.CopyFrom(classification_pb2.Candidate(category=found.category, display_name=found.display_name))
        # These describe the classifier's category, which the user has corrected.
        for field in ("warning", "confidence", "candidates", "material", "form"):
            found.ClearField(field)
        found.provider, found.model = USER, ""
    if known.verdict is Verdict.DENIED:
        found.candidates.extend(_other_candidates(known, request.classification, taxonomy, locale))
    return response


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
