"""What the protos promise: every RPC there is, and the REST paths of those that are public."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from google.api import annotations_pb2, http_pb2, httpbody_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

import eco2

_VARIABLE = re.compile(r"\{(\w+)\}")

SCAN_ID = "0197a1b2-0000-7000-8000-000000000001"
# Packages that a service of another name serves.
_SERVED_BY = {"compat": "scan", "reminders": "scan", "jobs": "scan", "events": "scan"}


@dataclass(frozen=True, slots=True)
class Binding:
    """One REST spelling of an RPC.

    Attributes:
        rpc: Full name of the RPC.
        verb: HTTP method.
        template: Path, with variables such as {scan_id}.
        body: Whether the request has one.
        accept: The Accept header that leads to it, where another RPC has the same path.
        older: Whether it is there for older clients only.
    """

    rpc: str
    verb: str
    template: str
    body: bool
    accept: str
    older: bool

    @property
    def path(self) -> str:
        """The path with every variable filled in."""
        return _VARIABLE.sub(SCAN_ID, self.template)

    def filled(self, value: Callable[[], str]) -> str:
        """The path with other values for its variables."""
        return _VARIABLE.sub(lambda _: value(), self.template)

    @property
    def variables(self) -> list[str]:
        """Names of the fields that the path carries."""
        return _VARIABLE.findall(self.template)

    def __str__(self) -> str:
        return f"{self.verb} {self.template} {self.accept}"


def services() -> Iterator[ServiceDescriptor]:
    """Every service of the mesh."""
    (generated,) = map(Path, eco2.__path__)
    for path in sorted(generated.rglob("*_service_pb2.py")):
        name = ".".join(path.relative_to(generated.parent).with_suffix("").parts)
        yield from import_module(name).DESCRIPTOR.services_by_name.values()


def rpcs() -> Iterator[MethodDescriptor]:
    """Every RPC of the mesh."""
    for service in services():
        yield from service.methods


def served_by(rpc: MethodDescriptor) -> str:
    """The service of the mesh that serves an RPC, such as "scan" of eco2.scan.v1.ScanService."""
    package: str = rpc.containing_service.full_name.split(".")[-3]
    return _SERVED_BY.get(package, package)


def is_public(rpc: MethodDescriptor) -> bool:
    """Whether the RPC has a REST path, which is what makes it public."""
    return bool(rpc.GetOptions().HasExtension(annotations_pb2.http))


def bindings() -> Iterator[Binding]:
    """Every REST path of every public RPC, the older clients' included."""
    for rpc in filter(is_public, rpcs()):
        rule = rpc.GetOptions().Extensions[annotations_pb2.http]
        yield from (_binding(rpc, each) for each in (rule, *rule.additional_bindings))


def grpc_path(rpc: MethodDescriptor) -> str:
    """The RPC's path on the wire."""
    return f"/{rpc.containing_service.full_name}/{rpc.name}"


def _binding(rpc: MethodDescriptor, rule: http_pb2.HttpRule) -> Binding:
    verb, older = rule.WhichOneof("pattern"), bool(rpc.containing_service.GetOptions().deprecated)
    accept = "text/event-stream" if rpc.output_type is httpbody_pb2.HttpBody.DESCRIPTOR else "application/json"
    return Binding(rpc.full_name, verb.upper(), getattr(rule, verb), bool(rule.body), accept, older)
