"""Server reflection, by which grpcurl and its like need no proto files, in both versions that they ask for.

The library serves `grpc.reflection.v1alpha` alone; `v1` has the same messages under another name. A call through the
edge lists what the edge serves, which no single process may: Envoy names it in a header of its own.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import grpc
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pool import Default, DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

import eco2

EDGE_SERVICES = "eco2-services"

_VERSIONS = ("v1", "v1alpha")
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name


class Methods(Protocol):
    """Where a server takes methods from, as generated code fills it."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Takes the methods of one service."""
        ...


class Reflection:
    """Describes services.

    Args:
        names: Full names of those that are served here.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._here = reflection.aio.ReflectionServicer([*names, _HEALTH, reflection.SERVICE_NAME])

    def add_to(self, methods: Methods) -> None:
        """Serves both versions."""
        handler = grpc.stream_stream_rpc_method_handler(
            self.answers,
            reflection_pb2.ServerReflectionRequest.FromString,
            reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        for version in _VERSIONS:
            service = f"grpc.reflection.{version}.ServerReflection"
            methods.add_registered_method_handlers(service, {"ServerReflectionInfo": handler})

    async def answers(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        """Answers questions one after the other, until the caller has no more."""
        at_the_edge = dict(context.invocation_metadata()).get(EDGE_SERVICES)
        servicer: Any = _of_the_edge(at_the_edge) if at_the_edge else self._here
        async for answer in servicer.ServerReflectionInfo(requests, context):
            yield answer


@cache
def _of_the_edge(names: str) -> Any:
    # Another process serves some of them: their types may not have been imported here.
    for folder in map(Path, eco2.__path__):
        for path in folder.rglob("*_pb2.py"):
            import_module(".".join((eco2.__name__, *path.relative_to(folder).with_suffix("").parts)))
    services = names.split(",")
    return reflection.aio.ReflectionServicer(services, pool=_pool(services))


def _pool(services: Iterable[str]) -> DescriptorPool:
    """The files of these services and what they import: who asks for another service by name isn't told of it."""
    pool, added = DescriptorPool(), set[str]()

    def add(file: FileDescriptor) -> None:
        if file.name not in added:
            added.add(file.name)
            for imported in file.dependencies:
                add(imported)
            pool.AddSerializedFile(file.serialized_pb)

    for service in services:
        add(Default().FindServiceByName(service).file)
    return pool
