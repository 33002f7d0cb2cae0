"""The API's description, to hold replies against: of what it doesn't say there may be nothing."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs
import yaml

from local.stack.envoy import DESCRIPTION

Json = dict[str, Any]

_VARIABLE = re.compile(r"\{\w+\}")
VERBS = ("get", "post", "put", "patch", "delete")


@cache
def description() -> Json:
    """The committed description."""
    document: Json = yaml.load(DESCRIPTION.read_bytes(), Loader=yaml.CSafeLoader)
    return document


def operations() -> Iterator[tuple[str, str, Json]]:
    """Every verb, path and operation."""
    for path, verbs in description()["paths"].items():
        yield from ((verb, path, verbs[verb]) for verb in VERBS if verb in verbs)


def operation_of(verb: str, path: str) -> Json:
    """The operation that a request's path leads to."""
    fitting = [(other, each) for own, other, each in operations() if own == verb.lower() and _fits(other, path)]
    assert fitting, f"the description has no {verb} {path}"
    return max(fitting, key=lambda found: len(_VARIABLE.sub("", found[0])))[
        1
    ]  # what is written comes before a variable


def check(verb: str, path: str, status: int, headers: Mapping[str, str], text: str) -> str:
    """Raises unless a response is as the description says.

    Returns:
        The operation's id.
    """
    operation = operation_of(verb, path)
    response = operation["responses"].get(str(status))
    assert response, f"{verb} {path}: {status} isn't described. {text}"
    response = resolved(response)
    content = response.get("content", {})
    if not content:
        assert not text, f"{verb} {path}: {status} has no body. {text}"
        return str(operation["operationId"])
    media_type = headers["content-type"].partition(";")[0]
    assert media_type in content, f"{verb} {path}: {status} is never {media_type}"
    for value in _values(media_type, text):
        _validator(json.dumps(content[media_type].get("x-itemSchema") or content[media_type]["schema"])).validate(value)
    return str(operation["operationId"])


def _values(media_type: str, text: str) -> list[Any]:
    if media_type == "application/json":
        return [json.loads(text)]
    if media_type == "application/x-ndjson":
        return [json.loads(line) for line in text.splitlines()]
    return [text]


@cache
def _validator(schema: str) -> Any:
    components = {"schemas": _closed(description()["components"]["schemas"])}
    return jsonschema_rs.Draft202012Validator(json.loads(schema) | {"components": components}, validate_formats=True)


def _closed(node: Any) -> Any:
    """Schemas of which no object has names that aren't described."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {name: _closed(each) for name, each in node.items()}
    return {"additionalProperties": False} | closed if node.get("type") == "object" else closed


def resolved(node: Json) -> Json:
    """What a reference refers to; anything else as it is."""
    if "$ref" not in node:
        return node
    _, _, kind, name = node["$ref"].split("/")
    found: Json = description()["components"][kind][name]
    return found


def _fits(template: str, path: str) -> bool:
    parts = map(re.escape, _VARIABLE.split(template))
    return re.fullmatch("[^/]+?".join(parts), path.partition("?")[0]) is not None
