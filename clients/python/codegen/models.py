"""The messages of public replies as typed objects, with the protos' comments.

Read from the descriptors, not from `docs/openapi.yaml`, since only they tell which numbers may be absent.
"""

import textwrap
from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from openapi.contract import Contract, is_text
from openapi.schemas import component_name

_REASONS = "eco2.errors.v1.ErrorReason"
_OLDER = "eco2.compat."
_WIDTH = 120
_KNOWN = {
    "google.protobuf.Timestamp": "datetime",
    "google.protobuf.Duration": "Duration",
    "google.protobuf.Empty": "Message",
    "google.rpc.Status": "Status",
    "google.type.LatLng": "LatLng",
}
_TEXT = ("str", '""')
_NUMBER = ("int", "0")
_SCALARS = {
    FieldDescriptor.TYPE_BOOL: ("bool", "False"),
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_FLOAT: ("float", "0.0"),
    FieldDescriptor.TYPE_DOUBLE: ("float", "0.0"),
    FieldDescriptor.TYPE_INT32: _NUMBER,
    FieldDescriptor.TYPE_UINT32: _NUMBER,
    FieldDescriptor.TYPE_INT64: _NUMBER,
}
# Objects that hold secrets show in logs what identifies them, and nothing else.
_SHOWN = {
    "CreateJobResponse": "job",
    "CreateScanResponse": "scan",
    "CreateWatchTicketResponse": "expire_time",
    "Export": "export_id",
    "Job": "job_id",
    "JobUploadTarget": "expire_time",
    "Session": "user_id",
    "UploadTicket": "expire_time",
}
_HEADER = '''# Written by `make gen` from protos/. Don't edit it.
"""What the API answers. A field that isn't given has its default; numbers that may be absent are None then."""

from datetime import datetime

from msgspec import field

from eco2_client.structs import Duration, LatLng, Message, OpenEnum, Status
'''


def models(contract: Contract) -> str:
    """The source of the module."""
    reasons = _reasons(contract)
    found: dict[str, str] = {}
    for binding in contract.bindings():
        rpc = binding.rpc
        if not (binding.older or is_text(rpc) or rpc.full_name.startswith(_OLDER)):
            _collect(contract, rpc.output_type, found)
    return "\n\n".join([_HEADER, reasons, *found.values()])


def _collect(contract: Contract, type_: Descriptor | EnumDescriptor, found: dict[str, str]) -> None:
    """Adds a type after those that it needs."""
    name = component_name(type_.full_name)
    if type_.full_name in _KNOWN or name in found:
        return
    if isinstance(type_, EnumDescriptor):
        found[name] = _enum(contract, type_, name)
        return
    for field in _values(type_):
        needed = field.message_type or field.enum_type
        if needed is not None and needed.full_name != type_.full_name:
            _collect(contract, needed, found)
    found[name] = _message(contract, type_, name)


def _values(message: Descriptor) -> Iterator[FieldDescriptor]:
    """A message's fields; of a map what it maps to."""
    for field in message.fields:
        yield _mapped(field) or field


def _message(contract: Contract, message: Descriptor, name: str) -> str:
    lines = [f"class {name}(Message, frozen=True, kw_only=True):", *_docstring(contract, message), ""]
    lines += [f"    {field.name}: {_annotated(field, name)}" for field in message.fields]
    if shown := _SHOWN.get(name):
        lines += ["", "    def __repr__(self) -> str:", f'        return f"{name}({shown}={{self.{shown}!r}}, …)"']
    return "\n".join(lines)


def _docstring(contract: Contract, message: Descriptor) -> Iterator[str]:
    text = contract.comment(message.full_name)
    comments = "".join(contract.comment(field.full_name) for field in message.fields)
    opening = ("r" if "\\" in text + comments else "") + '"""'
    for number, paragraph in enumerate(text.split("\n\n")):
        yield from [""] * bool(number)
        yield from textwrap.wrap(
            (opening if number == 0 else "") + " ".join(paragraph.split()), _WIDTH, initial_indent=" " * 4,
            subsequent_indent=" " * 4, break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    if message.fields:
        yield ""
        yield "    Attributes:"
    for field in message.fields:
        said = " ".join(contract.comment(field.full_name).split())
        yield from textwrap.wrap(
            f"{field.name}: {said}", _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 12,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    yield '    """'


def _annotated(field: FieldDescriptor, within: str) -> str:
    """A field's type and default."""
    if (value := _mapped(field)) is not None:
        return f"dict[str, {_scalar(value, within)[0]}] = field(default_factory=dict)"
    type_, default = _scalar(field, within)
    if field.is_repeated:
        return f"tuple[{type_}, ...] = ()"
    if field.has_presence:
        return f"{type_} | None = None"
    return f"{type_} = {default}"


def _scalar(field: FieldDescriptor, within: str) -> tuple[str, str]:
    if field.message_type is not None:
        name = _KNOWN.get(field.message_type.full_name) or component_name(field.message_type.full_name)
        return (f'"{name}"' if name == within else name), "None"
    if field.enum_type is not None:
        name = component_name(field.enum_type.full_name)
        return name, f"{name}.UNSPECIFIED"
    return _SCALARS[field.type]


def _mapped(field: FieldDescriptor) -> FieldDescriptor | None:
    """What a map's keys lead to; None if it is no map."""
    message = field.message_type
    return message.fields_by_name["value"] if message is not None and message.GetOptions().map_entry else None


def _enum(contract: Contract, enum: EnumDescriptor, name: str) -> str:
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    names = [value.name for value in enum.values]
    members = [(name, name.removeprefix(prefix), contract.comment(f"{enum.full_name}.{name}")) for name in names]
    return "\n".join(_enum_lines(name, contract.comment(enum.full_name), members))


def _reasons(contract: Contract) -> str:
    prefix, found = "ERROR_REASON_", []
    for value in contract.values(_REASONS):
        short = value.removeprefix(prefix)
        found.append((short, short, contract.comment(f"{_REASONS}.{value}")))
    return "\n".join(_enum_lines("Reason", contract.comment(_REASONS), found))


def _enum_lines(name: str, text: str, members: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    yield f"class {name}(OpenEnum):"
    yield f'    """{text}"""'
    yield ""
    for value, member, comment in members:
        yield from textwrap.wrap(
            " ".join(comment.split()), _WIDTH, initial_indent="    # ", subsequent_indent="    # ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        yield f'    {member} = "{value}"'
