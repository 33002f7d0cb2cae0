"""Rules of protovalidate as JSON Schema."""

import pytest
from google.protobuf import text_format

from buf.validate import validate_pb2
from openapi.rules import duration, keywords


@pytest.mark.parametrize(
    ("rules", "schema"),
    [
        ('string {min_len: 1 max_len: 5 pattern: "^a"}', {"minLength": 1, "maxLength": 5, "pattern": "^a"}),
        ("string {uuid: true}", {"format": "uuid"}),
        ('string {in: ["a", "b"]}', {"enum": ["a", "b"]}),
        ("uint32 {gte: 1 lte: 20}", {"minimum": 1, "maximum": 20}),
        ("int32 {gt: 0 lt: 9}", {"exclusiveMinimum": 0, "exclusiveMaximum": 9}),
        ("repeated {max_items: 3 items {string {min_len: 1}}}", {"maxItems": 3}),
        ("required: true", {}),
    ],
)
def test_each_limit_has_its_keyword(rules: str, schema: dict[str, object]) -> None:
    """What the services enforce, clients can check."""
    assert keywords(text_format.Parse(rules, validate_pb2.FieldRules())) == schema


@pytest.mark.parametrize(
    ("rules", "schema"),
    [
        ("required: true string {max_len: 40}", {"minLength": 1, "maxLength": 40}),
        ('ignore: IGNORE_IF_ZERO_VALUE string {pattern: "^[0-9]$"}', {"pattern": "^$|^[0-9]$"}),
    ],
)
def test_an_empty_text_is_as_good_as_none(rules: str, schema: dict[str, object]) -> None:
    """Where the wire doesn't tell the two apart."""
    assert keywords(text_format.Parse(rules, validate_pb2.FieldRules()), has_presence=False) == schema


def test_a_rule_that_has_no_keyword_here_is_an_error() -> None:
    """It would be missing from the description in silence."""
    with pytest.raises(ValueError, match=r"string\.email"):
        keywords(text_format.Parse("string {email: true}", validate_pb2.FieldRules()))


def test_a_duration_is_text_without_a_sign() -> None:
    """JSON Schema can't compare it."""
    assert "pattern" in duration(text_format.Parse("duration {gte {}}", validate_pb2.FieldRules()))
    assert duration(validate_pb2.FieldRules()) == {}
