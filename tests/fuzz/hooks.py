"""What Schemathesis is told beside its configuration."""

from typing import Any

import schemathesis

# It can't make a text of "anything but these": it is given less than what is allowed.
_UNKNOWN, _KNOWN = r"^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$", "^[0-9A-Za-z가-힣 .,]*$"


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Narrows the patterns that it doesn't know."""
    for schema in raw_schema["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            if field.get("pattern") == _UNKNOWN:
                field["pattern"] = _KNOWN


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leaves out what it takes for wrong and isn't: null, which is as good as absent in a proto's JSON."""
    return not _has_null(case.body)


def _has_null(node: Any) -> bool:
    if isinstance(node, dict | list):
        return any(_has_null(each) for each in (node.values() if isinstance(node, dict) else node))
    return node is None
