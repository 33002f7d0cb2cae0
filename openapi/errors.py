"""What a call may be refused with: the codes and reasons of the protos' comments, as HTTP responses.

A comment ends like this: `Codes: NOT_FOUND (SCAN_NOT_FOUND), FAILED_PRECONDITION (SCAN_STATE: it has finished).`
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.json_format import MessageToJson

from mesh.errors import EcoError, FieldViolation
from mesh.grpc.status import CODES, DOMAIN, to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from openapi.contract import Contract

Schema = dict[str, Any]
Refusals = Mapping[str, frozenset[str]]  # reasons by code

ENUM = "eco2.errors.v1.ErrorReason"
_PREFIX = "ERROR_REASON_"
# As Envoy's transcoder does.
HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
# The reason of a code that a comment names alone.
_GENERAL = {"INVALID_ARGUMENT": "INVALID_FIELD", "RESOURCE_EXHAUSTED": "LIMIT_EXCEEDED"}
_CODE = re.compile(rf"\b({'|'.join(HTTP)})\b(?: \(([^()]*)\))?")
_KINDS: dict[str, type[EcoError]] = {code.name: kind for kind, code in CODES.items()}
_METADATA = re.compile(r"\{\".*?\}")


def refusals(comment: str, known: Iterable[str]) -> Refusals:
    """The codes that the comment of an RPC or a service names, each with its reasons.

    Args:
        comment: The comment.
        known: All reasons there are.
    """
    found: dict[str, set[str]] = defaultdict(set)
    told = re.search(r"(?:Codes:|may\s+also\s+answer)(.*)", comment, re.DOTALL)
    for code, within in _CODE.findall(" ".join(told[1].split()) if told else ""):
        reasons = set(re.findall(r"\b[A-Z][A-Z_]+\b", within)) & {*known}
        found[code] |= reasons or {_GENERAL.get(code, code)}
    return {code: frozenset(reasons) for code, reasons in found.items()}


def all_reasons(contract: Contract) -> list[str]:
    """Every reason an error may carry, in the protos' order."""
    return [name.removeprefix(_PREFIX) for name in contract.values(ENUM) if not name.endswith("_UNSPECIFIED")]


def reason_comment(contract: Contract, reason: str) -> str:
    """What the protos say of a reason."""
    return " ".join(contract.comment(f"{ENUM}.{_PREFIX}{reason}").split())


def example(contract: Contract, reason: str) -> Schema:
    """An error with this reason as clients get it, made by the code that makes it for them."""
    comment = reason_comment(contract, reason)
    code = comment.partition(":")[0].partition(",")[0]
    told = _METADATA.search(comment)
    metadata = json.loads(told[0]) if told else {}
    error = _KINDS[code](
        Reason(reason),
        retry_after=2.0 if "RetryInfo" in comment or reason == "UNAVAILABLE" else None,
        violations=[_VIOLATION] if reason == Reason.INVALID_FIELD else (),
        **metadata,
    )
    body = json.loads(MessageToJson(to_status(error, Locale.KO), preserving_proto_field_name=True))
    if metadata:
        body["details"][0]["metadata"] = metadata  # a protobuf's map has no order that lasts
    summary = _METADATA.sub("", comment.partition(": ")[2]).strip()
    return {"summary": summary, "value": body}


def schemas(contract: Contract) -> dict[str, Schema]:
    """The body of every error, which is also what a failed scan keeps."""
    reasons = all_reasons(contract)
    lines = [f"- `{reason}`: {reason_comment(contract, reason)}" for reason in reasons]
    text = "Why a call, or a scan, failed. Decide by this; more may be added.\n\n" + "\n".join(lines)
    details = ("ErrorInfo", "BadRequest", "RetryInfo", "LocalizedMessage")
    return {
        "ErrorReason": {"type": "string", "description": text, "enum": reasons},
        "Status": {
            "type": "object",
            "description": "An error (`google.rpc.Status`). The first detail is the ErrorInfo.",
            "properties": {
                "code": {"type": "integer", "format": "int32", "description": "The gRPC code, such as 5: NOT_FOUND."},
                "message": {"type": "string", "description": "English, for developers."},
                "details": {
                    "type": "array",
                    "items": {
                        "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in details],
                        "discriminator": {
                            "propertyName": "@type",
                            "mapping": {_url(name): f"#/components/schemas/{name}" for name in details},
                        },
                    },
                },
            },
            "required": ["code", "message", "details"],
        },
        "ErrorInfo": _detail(
            "ErrorInfo",
            "What happened, for programs.",
            reason={"$ref": "#/components/schemas/ErrorReason"},
            domain={"const": DOMAIN},
            metadata={"type": "object", "additionalProperties": {"type": "string"}, "description": "By reason."},
        )
        | {"required": ["@type", "reason", "domain"]},
        "BadRequest": _detail(
            "BadRequest",
            "Which fields are wrong. At most 16, then one without a name that says how many more there are.",
            field_violations={"type": "array", "items": {"$ref": "#/components/schemas/FieldViolation"}},
        ),
        "FieldViolation": {
            "type": "object",
            "description": "A field that broke its rule.",
            "properties": {
                "field": {"type": "string", "description": "Its path in the request, such as `upload.size_bytes`."},
                "description": {"type": "string", "description": "What is wrong, in English."},
                "reason": {"type": "string", "description": "The rule's id, such as `uint32.lte`."},
                "localized_message": {
                    "type": "object",
                    "description": "What is wrong, in the caller's language.",
                    "properties": {"locale": {"type": "string"}, "message": {"type": "string"}},
                },
            },
        },
        "RetryInfo": _detail(
            "RetryInfo",
            "When another try makes sense. The header Retry-After says the same in whole seconds.",
            retry_delay={"type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,9})?s$", "examples": ["2s"]},
        ),
        "LocalizedMessage": _detail(
            "LocalizedMessage",
            "What to show the user: in the language of Accept-Language; Korean and English where it isn't known.",
            locale={"enum": [str(locale) for locale in Locale]},
            message={"type": "string"},
        ),
    }


def _detail(name: str, description: str, **properties: Schema) -> Schema:
    kind = {"@type": {"const": _url(name)}}
    return {"type": "object", "description": description, "properties": kind | properties, "required": ["@type"]}


def _url(name: str) -> str:
    return f"type.googleapis.com/google.rpc.{name}"


_VIOLATION = FieldViolation(
    "upload.size_bytes", "uint32.lte", {Locale.KO: "20971520 이하여야 해요", Locale.EN: "must be at most 20971520"}
)
