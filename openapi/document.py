"""The whole description, and how it is written."""

from collections.abc import Mapping
from typing import Any

import yaml

from openapi import edge, errors
from openapi.contract import Contract, is_event_stream
from openapi.links import link
from openapi.operations import Operations, merged
from openapi.schemas import Schemas
from openapi.webhooks import messages

Schema = dict[str, Any]

_INTRODUCTION = """\
Photograph a piece of waste; within seconds know what it is, how and why to dispose of it where you live, where to take
it, and which character you earned.

**One scan.** `POST /v1/scans` announces a photo and answers where to upload it. `PUT` it there, then
`POST /v1/scans/{scan_id}:start`. `GET /v1/scans/{scan_id}:watch` streams what happens until the answer is there;
`GET /v1/scans/{scan_id}` tells the same by polling.

**Tokens.** `POST /v1/auth/guest` begins a session; its access token goes into the header `Authorization: Bearer …`.

**Errors** are a `google.rpc.Status`: decide by the `reason` of its first detail, show the LocalizedMessage. With
`Retry-After` another try makes sense.

**Trying again.** What has a `request_id` may be sent again with the same one: it happens once. GET, PUT and DELETE may
be sent again anyway.

**JSON.** What has its type's default value (`""`, `0`, `false`, an empty list) is left out of replies, unless its
absence means something else. Names that no field has are refused. Fields, reasons and enums' values may be added;
nothing is renamed or removed.
"""


def describe(contract: Contract, tokens: edge.Tokens, version: str) -> Schema:
    """The description of everything that the edge serves.

    Args:
        contract: The protos.
        tokens: Which paths need a token.
        version: The project's.
    """
    schemas = Schemas(contract)
    schemas.components |= errors.schemas(contract)
    paths = _paths(contract, Operations(contract, schemas, tokens))
    webhooks = messages(schemas, contract)
    examples = {reason: errors.example(contract, reason) for reason in sorted(_named_examples(paths))}
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Eco²",
            "version": version,
            "summary": "Waste sorting from a photo.",
            "description": _INTRODUCTION,
        },
        "servers": [{"url": "/", "description": "Where this description is served."}],
        "tags": [*_tags(contract), {"name": "Edge", "description": "What the edge serves by itself."}],
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "parameters": dict(edge.PARAMETERS),
            "headers": dict(edge.HEADERS),
            "responses": edge.refusal_components(),
            "examples": examples,
            "securitySchemes": dict(edge.SECURITY_SCHEMES),
        },
    }


def text(document: Mapping[str, Any]) -> str:
    """The description as YAML that people read: in its own order, texts as blocks."""
    head = "# Written by `make gen` from protos/ and envoy/edge.yaml. Don't edit it.\n"
    return head + yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False
    )


class _Dumper(yaml.SafeDumper):
    """Never refers to what was written before, and writes texts of several lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _block(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _block)


def _paths(contract: Contract, operations: Operations) -> Schema:
    """Today's paths first, in the order of the protos; then the older clients'; then the edge's own."""
    bindings = sorted(contract.bindings(), key=lambda binding: (binding.older, is_event_stream(binding.rpc)))
    paths: dict[str, Schema] = {}
    for binding in bindings:
        verbs = paths.setdefault(binding.path, {})
        operation = operations.operation(binding)
        verbs[binding.verb] = merged(verbs[binding.verb], operation) if binding.verb in verbs else operation
    link(paths, bindings)
    return paths | edge.own_paths()


def _tags(contract: Contract) -> list[Schema]:
    """One for each service with public RPCs, older clients' last: its comment tells the resource's life."""
    public = {
        binding.rpc.containing_service.full_name for binding in contract.bindings() if not is_event_stream(binding.rpc)
    }
    return [
        {"name": service.name.removesuffix("Service"), "description": contract.comment(service.full_name)}
        for service in sorted(contract.services, key=lambda service: bool(service.GetOptions().deprecated))
        if service.full_name in public
    ]


def _named_examples(node: Any) -> set[str]:
    """The reasons that responses refer to, anywhere below, with those of the shared responses."""
    found = {reason for each in edge.refusal_components().values() for reason in _below(each)}
    return found | {*_below(node)}


def _below(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"].rpartition("/")[2]] if node.get("$ref", "").startswith("#/components/examples/") else []
        return own + [reason for each in node.values() for reason in _below(each)]
    return [reason for each in node for reason in _below(each)] if isinstance(node, list) else []
