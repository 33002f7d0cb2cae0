"""A request for each operation, from the description: the shortest that is valid."""

import json
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_BY_FORMAT = {
    "uuid": "0197a1b2-0000-7000-8000-000000000001",
    "uri": "https://example.com/photo.jpg",
    "date-time": "2026-11-29T09:00:00Z",
}


def resolved(document: Schema, node: Schema) -> Schema:
    """What a reference refers to; anything else as it is."""
    if "$ref" not in node:
        return node
    _, _, kind, name = node["$ref"].split("/")
    found: Schema = document["components"][kind][name]
    return found


def sample(document: Schema, schema: Schema) -> Any:
    """A value that a schema allows, with what it requires and nothing else. Patterns aren't looked at."""
    schema = resolved(document, schema)
    for given in ("examples", "enum"):
        if given in schema:
            return schema[given][0]
    match schema.get("type"):
        case "object":
            names = [*schema.get("required", []), *schema.get("oneOf", [{}])[0].get("required", [])]
            return {name: sample(document, schema["properties"][name]) for name in names}
        case "array":
            return [sample(document, schema["items"])]
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
    return _BY_FORMAT.get(schema.get("format", ""), "…")


def curl(document: Schema, verb: str, path: str, operation: Schema) -> str:
    """A command that calls an operation of the running stack."""
    query = "&".join(
        f"{each['name']}={sample(document, each['schema'])}"
        for each in (resolved(document, each) for each in operation.get("parameters", []))
        if each["in"] == "query" and each.get("required")
    )
    parts = [f'curl "$ECO2_REST_URL{path}{query and "?" + query}"']
    usual = "post" if "requestBody" in operation else "get"  # what curl takes by itself
    parts += [f"-X {verb.upper()}"] if verb != usual else []
    parts += ['-H "Authorization: Bearer $ECO2_TOKEN"'] if operation["security"] else []
    if body := operation.get("requestBody"):
        value = sample(document, body["content"]["application/json"]["schema"])
        parts.append(f"-d '{json.dumps(value, ensure_ascii=False)}'")
    return " \\\n    ".join(parts)
