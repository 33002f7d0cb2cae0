"""The names in a JSON body that no field of the request has.

The edge's transcoder drops them in silence, so a misspelt field would be taken for an absent one. The edge lists the
names it saw (`envoy/edge.lua`), as paths such as `upload.size_bytes` or `items[0].name`; here they are held against the
request's descriptor. On the paths that older clients use they are told in a response header instead of refused.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason

NAMES_HEADER = "eco2-body-names"
IGNORED_HEADER = "eco2-ignored-fields"

_RULE = "json.unknown"
_MOST_TOLD = 16
_TEXT: Mapping[Locale, str] = MappingProxyType(
    {Locale.KO: "없는 항목이에요. 이름을 확인해 주세요", Locale.EN: "no such field"}
)
_INDEX = re.compile(r"\[\d+\]")


def ignored_fields(request: Descriptor, listed: str) -> str:
    """Holds the names of a body against the request's fields.

    Args:
        request: The request's type.
        listed: What the edge saw: paths with commas between, and "~" before them if unknown ones are to be ignored.

    Returns:
        The unknown paths that are ignored, with ", " between; "" if none are.

    Raises:
        InvalidArgument: With every unknown path, where they aren't to be ignored.
    """
    paths = listed.removeprefix("~").split(",")
    unknown = _topmost([path for path in paths if path and not _exists(request, _INDEX.sub("", path).split("."))])
    if listed.startswith("~"):
        return ", ".join(unknown[:_MOST_TOLD])
    if unknown:
        violations = [FieldViolation(path, _RULE, _TEXT) for path in unknown[:_MOST_TOLD]]
        fields = ", ".join(violation.field for violation in violations)
        raise InvalidArgument(Reason.INVALID_FIELD, violations=violations, fields=fields)
    return ""


def _exists(message: Descriptor, path: list[str]) -> bool:
    for position, name in enumerate(path):
        field = _field(message, name)
        if field is None:
            return False
        inner = field.message_type
        if inner is None:
            return position == len(path) - 1
        if inner.GetOptions().map_entry:
            value = inner.fields_by_name["value"].message_type
            return value is None or len(path) <= position + 2 or _exists(value, path[position + 2 :])
        if inner.full_name.startswith("google.protobuf."):
            return True  # has a JSON form of its own, which the transcoder checks
        message = inner
    return True


def _field(message: Descriptor, name: str) -> FieldDescriptor | None:
    """By either of its spellings: as in the proto, or in camel case."""
    return message.fields_by_name.get(name) or message.fields_by_camelcase_name.get(name)


def _topmost(unknown: list[str]) -> list[str]:
    """Without what lies inside another unknown one: the outer name says it all."""
    return [path for path in unknown if not any(path.startswith((f"{other}.", f"{other}[")) for other in unknown)]
