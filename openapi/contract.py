"""What the protos say, read from a descriptor set with source information: public RPCs, their paths, all comments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.api import annotations_pb2, http_pb2, httpbody_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool

from buf.validate import validate_pb2

# Numbers of the fields that source information's paths go through (descriptor.proto).
_FILE = {"message_type": 4, "enum_type": 5, "service": 6}
_MESSAGE = {"field": 2, "nested_type": 3, "enum_type": 4, "oneof_decl": 8}
_ENUM = {"value": 2}
_SERVICE = {"method": 2}


@dataclass(frozen=True, slots=True)
class Binding:
    """One REST spelling of an RPC.

    Attributes:
        rpc: The RPC.
        verb: HTTP method, lower case.
        path: With variables such as {scan_id}.
        has_body: Whether the request's fields come as a JSON body; else in the query.
        number: Which of the RPC's paths it is, from 1.
    """

    rpc: MethodDescriptor
    verb: str
    path: str
    has_body: bool
    number: int

    @property
    def older(self) -> bool:
        """Whether it is there for older clients only."""
        return bool(self.rpc.containing_service.GetOptions().deprecated)


class Contract:
    """The protos of a descriptor set.

    Args:
        descriptors: The set, with source information.
    """

    def __init__(self, descriptors: descriptor_pb2.FileDescriptorSet) -> None:
        self._pool = DescriptorPool()
        self._comments: dict[str, str] = {}
        for file in descriptors.file:
            self._pool.Add(file)
            self._comments |= _comments(file)
        names = [
            f"{file.package}.{each.name}"
            for file in sorted(descriptors.file, key=lambda file: file.name)
            if file.name.startswith("eco2/")
            for each in file.service
        ]
        self.services: list[ServiceDescriptor] = [self._pool.FindServiceByName(name) for name in names]

    @classmethod
    def read(cls, file: Path) -> "Contract":
        """The protos of a file that protoc wrote."""
        return cls(descriptor_pb2.FileDescriptorSet.FromString(file.read_bytes()))

    def message(self, name: str) -> Descriptor:
        """A message by its full name."""
        return self._pool.FindMessageTypeByName(name)

    def comment(self, name: str) -> str:
        """The comment before a definition, by its full name; an enum's value belongs to its enum. Empty if none."""
        return self._comments.get(name, "")

    def values(self, enum: str) -> list[str]:
        """The names of an enum's values, by its full name."""
        return [value.name for value in self._pool.FindEnumTypeByName(enum).values]

    def bindings(self) -> Iterator[Binding]:
        """Every REST path of every public RPC, in the order of the protos."""
        for rpc in (rpc for service in self.services for rpc in service.methods):
            if rpc.GetOptions().HasExtension(annotations_pb2.http):
                rule = rpc.GetOptions().Extensions[annotations_pb2.http]
                yield _binding(rpc, rule, 1)
                yield from (_binding(rpc, each, number) for number, each in enumerate(rule.additional_bindings, 2))


def rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """What protovalidate demands of a field."""
    found: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return found


def is_event_stream(rpc: MethodDescriptor) -> bool:
    """Whether an RPC answers with text that it frames itself: Server-Sent Events."""
    return is_text(rpc) and bool(rpc.server_streaming)


def is_text(rpc: MethodDescriptor) -> bool:
    """Whether an RPC answers with something else than a message as JSON."""
    return bool(rpc.output_type.full_name == httpbody_pb2.HttpBody.DESCRIPTOR.full_name)


def _binding(rpc: MethodDescriptor, rule: http_pb2.HttpRule, number: int) -> Binding:
    if rule.body not in ("", "*") or rule.response_body:
        raise ValueError(f"{rpc.full_name}: only the body '*' is described")
    verb = rule.WhichOneof("pattern")
    return Binding(rpc, verb, getattr(rule, verb), bool(rule.body), number)


def _comments(file: descriptor_pb2.FileDescriptorProto) -> dict[str, str]:
    named = dict(_named(file, _FILE, (), file.package))
    return {
        named[tuple(location.path)]: _text(location.leading_comments)
        for location in file.source_code_info.location
        if location.leading_comments and tuple(location.path) in named
    }


def _named(
    parent: object, fields: Mapping[str, int], path: tuple[int, ...], name: str
) -> Iterator[tuple[tuple[int, ...], str]]:
    """The full name of everything in a definition, by its path in source information."""
    below = {"message_type": _MESSAGE, "nested_type": _MESSAGE, "enum_type": _ENUM, "service": _SERVICE}
    for field, number in fields.items():
        for index, each in enumerate(getattr(parent, field)):
            here, full = (*path, number, index), f"{name}.{each.name}"
            yield here, full
            yield from _named(each, below.get(field, {}), here, full)


def _text(comment: str) -> str:
    return "\n".join(line.removeprefix(" ") for line in comment.splitlines()).strip()
