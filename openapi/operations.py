"""REST bindings as operations."""

import re
from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, MethodDescriptor

from openapi import edge, errors
from openapi.contract import Binding, Contract, is_event_stream, is_text, rules
from openapi.rules import keywords
from openapi.schemas import Schemas
from ratelimit_svc.limits import load_limits

Schema = dict[str, Any]

_VARIABLE = re.compile(r"\{(\w+)\}")
_TEXTS = {
    "400": "The request is wrong, or the state doesn't allow it.",
    "401": "No token came, or none that is good.",
    "403": "It isn't the caller's to do.",
    "404": "It doesn't exist, or isn't the caller's.",
    "409": "Another call was faster, or is at work.",
    "429": "A limit is reached.",
    "503": "A service, a store or a provider is down.",
    "504": "It took too long.",
}
_LINES = "A JSON object a line, each a {}. A stream that ends without TYPE_TERMINAL was cut."
_EVENTS = "Events with `id`, `event` and `data`; comments are heartbeats. `data` is a {}."
_CALENDAR = "iCalendar (RFC 5545)."
_OLDER_EVENTS = "Events with `data` alone; comments are heartbeats. `data` is a TaskProgress."
_OLDER_DATA = "eco2.compat.v1.TaskProgress"


class Operations:
    """The operations of a description.

    Args:
        contract: The protos.
        schemas: Collects the types that they need.
        tokens: Which paths need a token.
    """

    def __init__(self, contract: Contract, schemas: Schemas, tokens: edge.Tokens) -> None:
        self._contract = contract
        self._schemas = schemas
        self._tokens = tokens
        self._reasons = errors.all_reasons(contract)
        self._limits = {name: limit for limit in load_limits().values() for name in limit.rpcs}

    def operation(self, binding: Binding) -> Schema:
        """One operation."""
        rpc = binding.rpc
        summary, _, rest = self._contract.comment(rpc.full_name).partition("\n\n")
        title, _, more = " ".join(summary.split()).partition(". ")
        dates = edge.deprecation() if binding.older else ""
        text = "\n\n".join(filter(None, [dates, more, rest, self._limit(rpc)]))
        operation: Schema = {
            "operationId": rpc.name[0].lower() + rpc.name[1:] + (str(binding.number) if binding.number > 1 else ""),
            "tags": [rpc.containing_service.name.removesuffix("Service")],
            "summary": title.removesuffix("."),
            "description": text,
            **({"deprecated": True} if binding.older else {}),
            "security": self._tokens.security(binding.path),
            "parameters": self._parameters(binding),
        }
        if binding.has_body:
            in_path = _VARIABLE.findall(binding.path)
            body = self._schemas.request(rpc.input_type, in_path, lenient=binding.older)
            demanded = self._schemas.components[body["$ref"].rpartition("/")[2]]
            is_required = "required" in demanded or "oneOf" in demanded
            operation["requestBody"] = {"required": is_required, "content": {"application/json": {"schema": body}}}
        operation["responses"] = self._responses(binding)
        return operation

    def _limit(self, rpc: MethodDescriptor) -> str:
        """How often it may be called, by the table that is shipped."""
        limit = self._limits.get(_grpc_name(rpc))
        counted = {"by one user": limit.user, "from one address": limit.address} if limit else {}
        told = [f"{number:,} {who}" for who, number in counted.items() if number]
        return f"At most {' and '.join(told)} a minute." if told else ""

    def _parameters(self, binding: Binding) -> list[Schema]:
        message, in_path = binding.rpc.input_type, _VARIABLE.findall(binding.path)
        found = [self._in_path(message, name) for name in in_path]
        if not binding.has_body:
            found += self._schemas.parameters(message, in_path)
        names = ["AcceptLanguage"]
        if _is_conditional(binding):
            names.append("IfNoneMatch")
        if binding.rpc.server_streaming and not binding.older:
            names.append("LastEventID")
        return [*found, *({"$ref": f"#/components/parameters/{name}"} for name in names)]

    def _in_path(self, message: Descriptor, name: str) -> Schema:
        field = message.fields_by_name[name]
        text = self._contract.comment(field.full_name)
        schema = {"type": "string", **keywords(rules(field), has_presence=field.has_presence)}
        return {"name": name, "in": "path", "description": text, "required": True, "schema": schema}

    def _responses(self, binding: Binding) -> Schema:
        found: Schema = {"200": self._success(binding)}
        if _is_conditional(binding):
            found["304"] = {
                "description": "Nothing has changed since If-None-Match.",
                "headers": edge.headers("x-request-id", "etag", "cache-control"),
            }
        has_token = bool(self._tokens.security(binding.path))
        found |= edge.refusals(has_body=binding.has_body or binding.verb == "post", has_token=has_token)
        for status, reasons in self._by_status(binding).items():
            if reasons != edge.usual_reasons(status):
                found[status] = edge.response(status, _TEXTS[status], reasons)
        return dict(sorted(found.items()))

    def _success(self, binding: Binding) -> Schema:
        rpc = binding.rpc
        names = ["x-request-id"]
        if _is_conditional(binding):
            names += ["etag", "cache-control"]
        if binding.older:
            names += ["deprecation", "sunset", "link", *(["eco2-ignored-fields"] if binding.has_body else [])]
        if (limit := self._limits.get(_grpc_name(rpc))) and limit.shared:
            names += edge.RATE_LIMIT_HEADERS
        response: Schema = {"description": "Done.", "headers": edge.headers(*names)}
        schema = self._schemas.reference(rpc.output_type) if not is_text(rpc) else {}
        if is_event_stream(rpc):
            watched = "WatchJobResponse" if "Job" in rpc.name else "WatchScanResponse"
            text = {"type": "string", "description": _OLDER_EVENTS if binding.older else _EVENTS.format(watched)}
            if binding.older:
                self._schemas.reference(self._contract.message(_OLDER_DATA))
            response["content"] = {"text/event-stream": {"schema": text}}
        elif is_text(rpc):
            response["content"] = {"text/calendar": {"schema": {"type": "string", "description": _CALENDAR}}}
        elif rpc.server_streaming:
            line = {"type": "string", "description": _LINES.format(rpc.output_type.name)}
            response["content"] = {"application/x-ndjson": {"schema": line, "x-itemSchema": schema}}
        else:
            response["description"] = self._contract.comment(rpc.output_type.full_name) or "Done."
            response["content"] = {"application/json": {"schema": schema}}
        return response

    def _by_status(self, binding: Binding) -> Mapping[str, list[str]]:
        """The reasons of the RPC's and its service's refusals, in the protos' order."""
        found: dict[str, set[str]] = {}
        for name in (binding.rpc.full_name, binding.rpc.containing_service.full_name):
            for code, reasons in errors.refusals(self._contract.comment(name), self._reasons).items():
                status = str(errors.HTTP[code])
                found.setdefault(status, {*edge.usual_reasons(status)}).update(reasons)
        return {status: [each for each in self._reasons if each in reasons] for status, reasons in found.items()}


def _grpc_name(rpc: MethodDescriptor) -> str:
    return f"{rpc.containing_service.full_name}/{rpc.name}"


def _is_conditional(binding: Binding) -> bool:
    """Whether the edge turns an answer that says so into 304."""
    rpc = binding.rpc
    return "not_modified" in rpc.output_type.fields_by_name or (is_text(rpc) and not is_event_stream(rpc))


def merged(one: Schema, other: Schema) -> Schema:
    """Two operations of one path, told apart by Accept: the first one's, with the other's kinds of content."""
    one["responses"]["200"]["content"] |= other["responses"]["200"]["content"]
    return one
