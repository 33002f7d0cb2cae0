"""Messages and enums as JSON Schema, in the way that Envoy's transcoder prints them.

Fields keep the protos' names, 64-bit integers are text, enums are names, timestamps and durations are text. What has
its type's default value and no presence is left out, so replies have no required fields but those that a rule demands.
"""

from collections.abc import Iterable
from typing import Any

import protovalidate
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from buf.validate import validate_pb2
from openapi.contract import Contract, rules
from openapi.rules import duration, excluded, keywords, messages

Schema = dict[str, Any]

_TEXT_OF_INT64 = {"type": "string", "pattern": "^-?[0-9]+$"}
_SCALARS: dict[int, Schema] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32", "minimum": -(1 << 31), "maximum": (1 << 31) - 1},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "format": "uint32", "minimum": 0, "maximum": (1 << 32) - 1},
    FieldDescriptor.TYPE_INT64: _TEXT_OF_INT64,
    FieldDescriptor.TYPE_UINT64: _TEXT_OF_INT64,
}
_DURATION = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$", "examples": ["1.5s"]}
_WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": _DURATION,
    "google.protobuf.Empty": {"type": "object"},
}
# Its comments tell the ranges in prose. On the wire 0 is the same as absent, and every rule of ours wants both.
_HALF = {"type": "number", "format": "double", "not": {"const": 0}}
_LATLNG = {
    "latitude": {**_HALF, "minimum": -90, "maximum": 90, "description": "In degrees, north positive."},
    "longitude": {**_HALF, "minimum": -180, "maximum": 180, "description": "In degrees, east positive."},
}


class Schemas:
    """The schemas of a description. Each message that is referred to becomes a component, once.

    Args:
        contract: Where messages and comments are.

    Attributes:
        components: What was referred to, by name.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._full_names: dict[str, str] = {}
        self.components: dict[str, Schema] = {}

    def reference(self, type_: Descriptor | EnumDescriptor) -> Schema:
        """A reference to a message's or an enum's component, or the text that a well-known type is."""
        if type_.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[type_.full_name])
        name = component_name(type_.full_name)
        if self._full_names.setdefault(name, type_.full_name) != type_.full_name:
            raise ValueError(f"two types are called {name}: {self._full_names[name]}, {type_.full_name}")
        if name not in self.components:
            self.components[name] = {}  # a message may hold itself
            self.components[name] = self._enum(type_) if isinstance(type_, EnumDescriptor) else self._message(type_)
        return {"$ref": f"#/components/schemas/{name}"}

    def request(self, message: Descriptor, in_path: Iterable[str], *, lenient: bool) -> Schema:
        """A reference to a request's body: what of it isn't in the path. No other names are allowed, unless lenient."""
        schema = self._message(message, in_path)
        if not schema["properties"]:
            del schema["properties"]
        name = component_name(message.full_name)
        self.components[name] = schema if lenient else schema | {"additionalProperties": False}
        return {"$ref": f"#/components/schemas/{name}"}

    def parameters(self, message: Descriptor, in_path: Iterable[str]) -> list[Schema]:
        """A request's fields as parameters of the query, those of a message in it with a dot."""
        demanded = required(message)
        found: list[Schema] = []
        for field in (each for each in message.fields if each.name not in in_path):
            schema = self.field(field)
            text = schema.pop("description", "")
            if "$ref" not in schema or field.enum_type is not None:
                found.append(_parameter(field.name, field.name in demanded, text, schema))
                continue
            if field.message_type is None or field.message_type.full_name != "google.type.LatLng":
                raise ValueError(f"{field.full_name} can't be a parameter of the query")
            found += [
                _parameter(f"{field.name}.{half}", field.name in demanded, text, part) for half, part in _LATLNG.items()
            ]
        return found

    def field(self, field: FieldDescriptor) -> Schema:
        """A field's value."""
        demands = rules(field)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            schema: Schema = {"type": "object", "additionalProperties": self._value(field.message_type.fields[1])}
        elif field.is_repeated:
            items = self._value(field, demands.repeated.items)
            schema = {"type": "array", "items": items, **keywords(demands)}
        else:
            schema = self._value(field, demands)
        comment = self._contract.comment(field.full_name)
        if text := "\n".join([comment, *(f"Rule: {message}." for message in messages(demands))]).strip():
            schema["description"] = text
        if "Output only." in comment:
            schema["readOnly"] = True
        if field.GetOptions().deprecated:
            schema["deprecated"] = True
        return schema

    def _value(self, field: FieldDescriptor, demands: validate_pb2.FieldRules | None = None) -> Schema:
        demands = demands or validate_pb2.FieldRules()
        if field.enum_type is not None:
            left_out = excluded(demands) - {0}
            if left_out:
                raise ValueError(f"{field.full_name}: an enum's component can't leave out {left_out}")
            return self.reference(field.enum_type)
        if field.message_type is not None:
            schema = self.reference(field.message_type)
            return schema | duration(demands) if field.message_type.name == "Duration" else schema
        return _SCALARS[field.type] | keywords(demands, has_presence=field.has_presence or field.is_repeated)

    def _message(self, message: Descriptor, without: Iterable[str] = ()) -> Schema:
        schema: Schema = {"type": "object"}
        demands = message.GetOptions().Extensions[validate_pb2.message]
        text = [self._contract.comment(message.full_name), *(f"Rule: {each}." for each in messages(demands))]
        schema["description"] = "\n\n".join(filter(None, text))
        if message.full_name == "google.type.LatLng":
            return schema | {"properties": _LATLNG, "required": [*_LATLNG]}
        kept = [field for field in message.fields if field.name not in without]
        schema["properties"] = {field.name: self.field(field) for field in kept}
        demanded = required(message) - {*without}
        if names := [field.name for field in kept if field.name in demanded]:
            schema["required"] = names
        if choices := [oneof for oneof in message.oneofs if oneof.name in demanded]:
            (choice,) = choices
            schema["oneOf"] = [{"required": [field.name]} for field in choice.fields]
        return schema

    def _enum(self, enum: EnumDescriptor) -> Schema:
        """Without the value that is never sent."""
        sent = [value for value in enum.values if not value.name.endswith("_UNSPECIFIED")]
        comments = [self._contract.comment(f"{enum.full_name}.{value.name}") for value in sent]
        lines = [
            f"- `{value.name}`: {' '.join(text.split())}" for value, text in zip(sent, comments, strict=True) if text
        ]
        text = [self._contract.comment(enum.full_name), "\n".join(lines)]
        return {"type": "string", "description": "\n\n".join(filter(None, text)), "enum": [v.name for v in sent]}


def component_name(full_name: str) -> str:
    """A type's name in the description: without its package, `Scan.State` in one word."""
    return "".join(part for part in full_name.split(".") if part[:1].isupper())


def required(message: Descriptor) -> set[str]:
    """The fields and oneofs without which a message breaks its rules: those that an empty one breaks."""
    broken = (violation.proto.field for violation in protovalidate.collect_violations(GetMessageClass(message)()))
    return {field.elements[0].field_name for field in broken if field}


def _parameter(name: str, is_required: bool, description: str, schema: Schema) -> Schema:
    described: Schema = {"description": description} if description else {}
    return {"name": name, "in": "query", **described, **({"required": True} if is_required else {}), "schema": schema}
