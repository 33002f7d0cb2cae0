"""What protovalidate demands of a field, as JSON Schema."""

from typing import Any

from buf.validate import validate_pb2

Schema = dict[str, Any]

_WELL_KNOWN = {"uuid": "uuid", "uri": "uri"}  # rules of strings that JSON Schema has as formats
_NAMED = {
    "min_len": "minLength",
    "max_len": "maxLength",
    "pattern": "pattern",
    "gte": "minimum",
    "lte": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "min_items": "minItems",
    "max_items": "maxItems",
}
NOT_NEGATIVE_DURATION = r"^[0-9]+(\.[0-9]{1,9})?s$"


def keywords(rules: validate_pb2.FieldRules, *, has_presence: bool = True) -> Schema:
    """The limits of a field's value, or of a list's.

    Args:
        rules: The field's.
        has_presence: Whether it can be told from one that isn't there when it has its type's default value.

    Raises:
        ValueError: A rule isn't known here, so it would be missing from the description.
    """
    kind = rules.WhichOneof("type")
    if kind is None or kind in ("enum", "duration"):  # see `excluded` and `duration`
        return {}
    found: Schema = {}
    for field, value in getattr(rules, kind).ListFields():
        if field.name in _NAMED:
            found[_NAMED[field.name]] = value
        elif field.name == "in":
            found["enum"] = list(value)
        elif field.name in _WELL_KNOWN:
            found["format"] = _WELL_KNOWN[field.name]
        elif field.name != "items":
            raise ValueError(f"no keyword of JSON Schema is known for the rule {kind}.{field.name}")
    if kind == "string" and not has_presence:
        if rules.required:  # empty is the same as absent
            found.setdefault("minLength", 1)
        elif rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE and "pattern" in found:
            found["pattern"] = f"^$|{found['pattern']}"
    return found


def excluded(rules: validate_pb2.FieldRules) -> set[int]:
    """The numbers of an enum's values that a field doesn't take."""
    return set(rules.enum.not_in)


def duration(rules: validate_pb2.FieldRules) -> Schema:
    """The limits of a duration, which is text in JSON."""
    return {"pattern": NOT_NEGATIVE_DURATION} if rules.duration.HasField("gte") else {}


def messages(rules: Any) -> list[str]:
    """What a field's or a message's rules in CEL say, for people: JSON Schema can't."""
    return [rule.message for rule in rules.cel]
