"""The rules written in the protos, enforced, with their texts in both languages."""

from collections.abc import Mapping
from types import MappingProxyType

import protovalidate
from google.protobuf.message import Message

from mesh.errors import FieldViolation, InvalidArgument, Reason
from mesh.locale import Locale

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
        "location.complete": "위도와 경도를 모두 알려 주세요",
        "location.range": "위도는 ±90, 경도는 ±180 안이어야 해요",
    }
)


def validate(request: Message | None) -> None:
    """Checks a request against the rules in its proto.

    Raises:
        InvalidArgument: With every field that broke a rule; or it couldn't be decoded at all (None).
    """
    if request is None:
        raise InvalidArgument(Reason.INVALID_FIELD, fields="(undecodable)")
    found = protovalidate.collect_violations(request)
    if found:
        violations = [_violation(one) for one in found]
        fields = ", ".join(dict.fromkeys(violation.field for violation in violations))
        raise InvalidArgument(Reason.INVALID_FIELD, violations=violations, fields=fields)


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
