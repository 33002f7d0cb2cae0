"""What a request must be before a servicer sees it: of a sane size, composed, and by the rules written in the protos.

In this order. The rules are checked item by item and all broken ones are told, so a request of a megabyte could break
hundreds of thousands of them. Lengths are counted in composed text, since a composed Korean syllable comes as three.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import protovalidate
from google.protobuf.message import Message

from mesh.errors import MOST_VIOLATIONS, FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.validation.composition import compose
from mesh.validation.size import Excess, excesses

# What protovalidate says in English, said in Korean. A test finds every rule our protos use in here.
KOREAN: Mapping[str, str] = MappingProxyType(
    {
        "required": "꼭 필요한 값이에요",
        "string.min_len": "너무 짧아요",
        "string.max_len": "너무 길어요",
        "string.pattern": "형식이 올바르지 않아요",
        "string.in": "허용된 값이 아니에요",
        "string.uri": "주소(URI) 형식이 아니에요",
        "string.uuid": "UUID 형식이 아니에요",
        "uint32.gte": "허용 범위보다 작아요",
        "uint32.lte": "허용 범위보다 커요",
        "uint32.gte_lte": "허용 범위를 벗어났어요",
        "int32.gte": "허용 범위보다 작아요",
        "duration.gte": "허용 범위보다 작아요",
        "duration.gte_lte": "허용 범위를 벗어났어요",
        "enum.defined_only": "정해진 값이 아니에요",
        "repeated.min_items": "항목이 부족해요",
        "repeated.max_items": "항목이 너무 많아요",
        "map.max_pairs": "항목이 너무 많아요",
        "bytes.max_len": "너무 길어요",
        "enum.not_in": "정해진 값이 아니에요",
        "text.given": "한국어나 영어 가운데 하나는 적어 주세요",
        "hours.complete": "시작 시각이 없거나 끝 시각과 같아요",
        "etag.given": "읽을 때 받은 etag를 함께 보내 주세요",
        "location.complete": "위도와 경도를 모두 알려 주세요",
        "location.range": "위도는 ±90, 경도는 ±180 안이어야 해요",
    }
)


def admit(request: Message | None) -> None:
    """Composes a request's text in place, and checks it against the rules in its proto.

    Raises:
        InvalidArgument: With the first fields that broke a rule; or it couldn't be decoded at all (None).
    """
    if request is None:
        raise InvalidArgument(Reason.INVALID_FIELD, fields="(undecodable)")
    if too_much := excesses(request):
        raise _refusal([_too_much(one) for one in too_much], 0)
    compose(request)
    if found := protovalidate.collect_violations(request):
        listed = found[:MOST_VIOLATIONS]
        raise _refusal([_violation(one) for one in listed], len(found) - len(listed))


def _refusal(violations: Sequence[FieldViolation], unlisted: int) -> InvalidArgument:
    named = dict.fromkeys(violation.field for violation in violations)
    fields = ", ".join([*named, "…"] if unlisted else named)
    return InvalidArgument(Reason.INVALID_FIELD, violations=violations, unlisted=unlisted, fields=fields)


def _too_much(excess: Excess) -> FieldViolation:
    english = f"must have at most {excess.most} {excess.unit}"
    return FieldViolation(excess.field, excess.rule, {Locale.EN: english, Locale.KO: KOREAN[excess.rule]})


def _violation(found: protovalidate.Violation) -> FieldViolation:
    proto = found.proto
    # uuid and uri have variants for the empty string; they mean the same to a person.
    rule = (proto.rule_id or "").removesuffix("_empty")
    path = ".".join(_element(element) for element in proto.field.elements) if proto.field else ""
    english = proto.message or rule
    return FieldViolation(path, rule, {Locale.EN: english, Locale.KO: KOREAN.get(rule, english)})


def _element(element: protovalidate.FieldPathElementPb) -> str:
    subscript = element.subscript
    if subscript is not None and subscript.field == "index":
        return f"{element.field_name}[{subscript.value}]"
    return element.field_name or ""
