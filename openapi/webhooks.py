"""What is sent to a `callback_url`."""

from typing import Any

from openapi.contract import Contract
from openapi.schemas import Schemas

Schema = dict[str, Any]

_HEADERS = {
    "webhook-id": "The same at every try.",
    "webhook-timestamp": "When it was sent, in seconds since 1970.",
    "webhook-signature": "By `webhook_secret`, as Standard Webhooks defines it.",
}


def messages(schemas: Schemas, contract: Contract) -> Schema:
    """The webhooks: a scan's end, and a task's for older clients."""
    told = contract.comment("eco2.scan.v1.CreateScanRequest.callback_url")
    task = schemas.reference(contract.message("eco2.compat.v1.TaskEnded"))
    of_task = _operation("taskEnded", "A task has ended", task, contract.comment("eco2.compat.v1.TaskEnded"))
    return {
        **{
            event: {"post": _operation(name, summary, _event(event, schemas, contract), told)}
            for event, name, summary in (
                ("scan.succeeded", "scanSucceeded", "A scan has succeeded"),
                ("scan.failed", "scanFailed", "A scan has failed"),
            )
        },
        "task.ended": {"post": {**of_task, "deprecated": True}},
    }


def _event(event: str, schemas: Schemas, contract: Contract) -> Schema:
    omitted = {
        "type": "array",
        "items": {"type": "string"},
        "description": "Parts of the scan that took too much room.",
    }
    scan = schemas.reference(contract.message("eco2.scan.v1.Scan"))
    data = {"type": "object", "properties": {"scan": scan, "omitted": omitted}, "required": ["scan"]}
    return {
        "type": "object",
        "properties": {
            "type": {"const": event},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": data,
        },
        "required": ["type", "timestamp", "data"],
    }


def _operation(name: str, summary: str, schema: Schema, description: str) -> Schema:
    parameters = [
        {"name": header, "in": "header", "required": True, "description": said, "schema": {"type": "string"}}
        for header, said in _HEADERS.items()
    ]
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "security": [],
        "parameters": parameters,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"2XX": {"description": "Taken."}, "410": {"description": "Don't send any more."}},
    }
