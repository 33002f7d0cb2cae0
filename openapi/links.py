"""What follows from what: operations whose path takes the id that a creation's reply brings."""

import re
from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import Descriptor

from openapi.contract import Binding

Schema = dict[str, Any]

_VARIABLE = re.compile(r"\{(\w+)\}")


def link(paths: Schema, bindings: Iterable[Binding]) -> None:
    """Adds links to the replies of creations. Older clients' paths get none.

    Args:
        paths: The description's, whose operations are changed in place.
        bindings: Those of the operations.
    """
    current = [binding for binding in bindings if not binding.older]
    for creation in (each for each in current if each.rpc.name.startswith("Create")):
        links = {}
        for binding in current:
            for name in _VARIABLE.findall(binding.path):
                if place := _place(creation.rpc.output_type, name):
                    operation = paths[binding.path][binding.verb]["operationId"]
                    links[operation] = {"operationId": operation, "parameters": {name: f"$response.body#/{place}"}}
        if links:
            paths[creation.path][creation.verb]["responses"]["200"]["links"] = links


def _place(message: Descriptor, name: str) -> str | None:
    """Where in a reply a field of that name stands: in it, or in a message of it."""
    if name in message.fields_by_name:
        return name
    holding = (field for field in message.fields if field.message_type and name in field.message_type.fields_by_name)
    return next((f"{field.name}/{name}" for field in holding if not field.is_repeated), None)
