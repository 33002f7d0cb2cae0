"""The prompt for a photo: fixed words, and a schema whose closed lists come from the taxonomy."""

import hashlib
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Self

import msgspec
import yaml

from mesh.models.wire import Prompt
from vision_svc.classifiers.classification import UNKNOWN
from vision_svc.classifiers.taxonomy import Taxonomy

OUTCOMES = ("classified", "unsure", "not_waste", "unreadable")
MOST_OBJECTS = 8
MOST_CANDIDATES = 3

_MOST_TOKENS = 1300  # eight objects with four tags and a box each take some 1,100; only what is written is paid
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class PhotoPrompt:
    """The prompt for every photo, as long as the taxonomy doesn't change.

    Attributes:
        version: Of words and taxonomy together.
        taxonomy: The categories and tags to choose from.
        materials: The materials to choose from.
        forms: The forms to choose from.
        detail: The photo's resolution for the model: "low", "high" or "auto".
    """

    version: str
    taxonomy: Taxonomy
    materials: frozenset[str]
    forms: frozenset[str]
    detail: str
    _system: str
    _user: str
    _schema: bytes
    _characters: int

    @classmethod
    def about(cls, taxonomy: Taxonomy, detail: str) -> Self:
        """The prompt with this taxonomy."""
        words = _words()
        schema = msgspec.json.encode(_schema(taxonomy, words["materials"], words["forms"]))
        whole = hashlib.sha256(b"\0".join([words["system"].encode(), words["user"].encode(), schema, detail.encode()]))
        return cls(
            version=f"look-{words['version']}-{whole.hexdigest()[:_DIGITS]}",
            taxonomy=taxonomy,
            materials=frozenset(words["materials"]),
            forms=frozenset(words["forms"]),
            detail=detail,
            _system=words["system"],
            _user=words["user"],
            _schema=schema,
            _characters=len(words["system"]) + len(words["user"]) + len(schema.decode()),
        )

    def prompt(self, jpeg: bytes) -> Prompt:
        """The prompt for one photo. Only pixels are sent: no question, location, user or metadata."""
        # Encoded as raw JSON: as a string it would be copied and searched for characters to escape.
        photo = msgspec.Raw(b'"data:image/jpeg;base64,%b"' % b2a_base64(jpeg, newline=False))
        content = [
            {"type": "text", "text": self._user},
            {"type": "image_url", "image_url": {"url": photo, "detail": self.detail}},
        ]
        return Prompt(
            messages=[{"role": "system", "content": self._system}, {"role": "user", "content": content}],
            name="classification",
            schema=msgspec.Raw(self._schema),
            most_tokens=_MOST_TOKENS,
            characters=self._characters,
            images=1,
        )


@lru_cache(maxsize=1)
def _words() -> Any:
    return yaml.safe_load(files("vision_svc.classifiers").joinpath("prompt.yaml").read_text("utf-8"))


def _schema(taxonomy: Taxonomy, materials: Sequence[str], forms: Sequence[str]) -> dict[str, Any]:
    """The output's schema in strict mode's subset: every list closed, every field required, no other field."""
    category = {"$ref": "#/$defs/category"}
    confidence = {"type": "number"}
    thing = {
        "category": category,
        "tags": {"type": "array", "items": {"type": "string", "enum": sorted(taxonomy.tags)}},
        "material": {"type": "string", "enum": list(materials)},
        "form": {"type": "string", "enum": list(forms)},
        "mixed": {"type": "boolean"},
        "confidence": confidence,
        # Four numbers in a row, since each name would be paid for with each object.
        "box": {"type": "array", "items": {"type": "integer"}},
    }
    whole = _object(
        {
            "outcome": {"type": "string", "enum": list(OUTCOMES)},
            "objects": {"type": "array", "items": _object(thing)},
            "candidates": {"type": "array", "items": _object({"category": category, "confidence": confidence})},
        }
    )
    named = [key for key in taxonomy.kinds if key != UNKNOWN.category.major]
    return {**whole, "$defs": {"category": {"type": "string", "enum": named}}}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
