"""Valid model output: JSON that satisfies the request's schema, made from the request's own words."""

import json
from functools import lru_cache
from typing import Any

from local.standins.openai.photo import things_in
from local.standins.openai.request import ModelRequest

# What lies in a photo of several things, from the left. The first is a category for which there are a rule, a container
# and a character.
_THINGS = (
    ("재활용폐기물/금속류/음료캔", "metal", "can"),
    ("재활용폐기물/무색페트병/음료병", "plastic", "bottle"),
    ("재활용폐기물/유리병/식품병", "glass", "jar"),
    ("재활용폐기물/종이/종이컵", "paper", "cup"),
    ("재활용폐기물/비닐류/과자·라면봉지", "plastic", "bag"),
)
_GRID = 1000  # where a photo's right and lower edges lie
_PREFERRED = (*_THINGS[0], "classified")
_EMPTY = ("tags", "candidates", "open_questions", "box")
_CONFIDENCE = 0.93


def valid_output(request: ModelRequest) -> str:
    """Valid output for a request.

    An object's strings `how` and `why` are written from the rules that the prompt holds as JSON. A photo that is at
    least twice as wide as high shows several things side by side, each with its box. Anything else follows from the
    schema alone: the first value of a closed list unless a preferred one is in it.
    """
    written = _from_schema(request.schema)
    if '"box"' in written and (number := things_in(request.content, len(_THINGS))) > 1:
        return _side_by_side(request.schema, number)
    if '"how"' not in written:
        return written
    answer = json.loads(written)
    rule = _first_rule(request)
    answer |= {"how": "\n".join(rule.get("steps", ())), "why": rule.get("why", "")}
    if rule and "rule_ids" in answer:
        answer["rule_ids"] = [rule["rule_id"]]
    return json.dumps(answer, ensure_ascii=False)


@lru_cache(maxsize=256)
def _from_schema(schema: bytes) -> str:
    whole = json.loads(schema)
    if not whole:
        return "A can."
    return json.dumps(_instance(whole, whole.get("$defs", {}), ""), ensure_ascii=False)


@lru_cache(maxsize=256)
def _side_by_side(schema: bytes, number: int) -> str:
    """The output for a photo of so many things, each filling its own part of the width."""
    look = json.loads(_from_schema(schema))
    one = look["objects"][0]
    look["objects"] = [
        one
        | {"category": category, "material": material, "form": form}
        | {"box": [_GRID * place // number, 0, _GRID * (place + 1) // number, _GRID]}
        for place, (category, material, form) in enumerate(_THINGS[:number])
    ]
    return json.dumps(look, ensure_ascii=False)


def _instance(schema: dict[str, Any], definitions: dict[str, Any], name: str) -> Any:
    if "$ref" in schema:
        return _instance(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions, name)
    if "enum" in schema:
        return next((value for value in _PREFERRED if value in schema["enum"]), schema["enum"][0])
    match schema.get("type"):
        case "object":
            return {key: _instance(part, definitions, key) for key, part in schema["properties"].items()}
        case "array":
            return [] if name in _EMPTY else [_instance(schema["items"], definitions, name)]
        case "number":
            return _CONFIDENCE
        case "integer":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case _:
            return "text"


def _first_rule(request: ModelRequest) -> dict[str, Any]:
    """The first rule of the JSON document that the user's message is."""
    for role, text in reversed(request.texts):
        if role == "user" and text.startswith("{"):
            rules: list[dict[str, Any]] = json.loads(text).get("rules", [])
            return rules[0] if rules else {}
    return {}
