"""Who tells metrics and spans."""

from importlib.metadata import version
from uuid import uuid4

from opentelemetry.sdk.resources import Resource

# Of this process; the services it serves share it, and their names differ.
_INSTANCE = str(uuid4())


def resource_of(service: str) -> Resource:
    """A service of this process, as OTEL_RESOURCE_ATTRIBUTES says it first, but for the name.

    Args:
        service: Its name, such as "eco2-scan".
    """
    ours = Resource({"service.version": version("eco2"), "service.instance.id": _INSTANCE})
    return ours.merge(Resource.create()).merge(Resource({"service.name": service}))
