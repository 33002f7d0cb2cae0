"""What the edge adds to the RPCs: tokens, headers, refusals of its own, and the paths that it serves itself."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from string import Template
from typing import Any

import yaml

Schema = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "envoy" / "edge.yaml"

_REFERENCE = "#/components"
RATE_LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
# What any call may be refused with, by HTTP status: the name of the response, a text, reasons.
_REFUSALS = {
    "400": ("BadRequest", "The request is wrong.", ["INVALID_FIELD"]),
    "401": ("Unauthenticated", "No token came, or none that is good.", ["UNAUTHENTICATED"]),
    "408": ("SlowRequest", "The request didn't arrive in time.", ["DEADLINE_EXCEEDED"]),
    "413": ("BodyTooLarge", "The body has more than 1 MiB.", ["LIMIT_EXCEEDED"]),
    "429": ("LimitReached", "A limit is reached. Try again after Retry-After.", ["LIMIT_EXCEEDED", "RATE_LIMIT"]),
    "431": ("HeadersTooLarge", "The headers have more than 16 KiB, or are more than 100.", ["LIMIT_EXCEEDED"]),
    "500": ("Internal", "A fault of ours.", ["INTERNAL"]),
    "503": ("Unavailable", "A service or a store is down. Try again after Retry-After.", ["UNAVAILABLE"]),
    "504": ("TimedOut", "It took too long: 15 s, where nothing else is said.", ["DEADLINE_EXCEEDED"]),
}
_OF_BODIES = ("408", "413")
_OF_STATUS = {"409": ["retry-after"], "429": ["retry-after", *RATE_LIMIT_HEADERS], "503": ["retry-after"]}
HEADERS: Mapping[str, Schema] = {
    "x-request-id": {"description": "Names the request in our logs.", "schema": {"type": "string"}},
    "retry-after": {"description": "In how many seconds to try again.", "schema": {"type": "integer", "minimum": 0}},
    "x-ratelimit-limit": {"description": "Calls a minute.", "schema": {"type": "string"}},
    "x-ratelimit-remaining": {"description": "How many are left at this moment.", "schema": {"type": "integer"}},
    "x-ratelimit-reset": {"description": "In how many seconds there are more.", "schema": {"type": "integer"}},
    "etag": {
        "description": "Of this version and language. Send it back as If-None-Match.",
        "schema": {"type": "string"},
    },
    "cache-control": {"description": "For how long it needn't be asked again.", "schema": {"type": "string"}},
    "deprecation": {"description": "Since when it is deprecated (RFC 9745).", "schema": {"type": "string"}},
    "sunset": {"description": "Until when it is served (RFC 8594).", "schema": {"type": "string"}},
    "link": {"description": "Where to read about it.", "schema": {"type": "string"}},
    "eco2-ignored-fields": {"description": "Names in the body that no field has.", "schema": {"type": "string"}},
}
PARAMETERS: Mapping[str, Schema] = {
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "description": "The caller's language, also of errors: Korean or English. Default: Korean.",
        "schema": {"type": "string"},
        "example": "en",
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `etag` that the caller has: 304 if nothing has changed.",
        "schema": {"type": "string"},
    },
    "LastEventID": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "With Server-Sent Events: the id of the last event seen, to go on after it.",
        "schema": {"type": "string"},
    },
}
SECURITY_SCHEMES: Mapping[str, Schema] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token: of a guest (`POST /v1/auth/guest`), or by signing in.",
    },
    "watchTicket": {
        "type": "apiKey",
        "in": "query",
        "name": "ticket",
        "description": "For Server-Sent Events alone, of one scan: `POST /v1/scans/{scan_id}:watchTicket`.",
    },
}
# Which scheme a provider of the edge's configuration is.
_SCHEMES = {"eco2": "token", "watch_ticket": "watchTicket"}


class Tokens:
    """Which paths need a token, by the rules of the edge's configuration.

    Args:
        template: The configuration, with placeholders.
    """

    def __init__(self, template: str = TEMPLATE.read_text(encoding="utf-8")) -> None:
        names = Template(template).get_identifiers()
        config = yaml.load(Template(template).substitute(dict.fromkeys(names, "1")), Loader=yaml.CSafeLoader)
        listener, *_ = config["static_resources"]["listeners"]
        filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
        (authentication,) = (each for each in filters if each["name"] == "envoy.filters.http.jwt_authn")
        self._rules = authentication["typed_config"]["rules"]

    def security(self, path: str) -> list[Schema]:
        """What a path needs, as OpenAPI says it: nothing, a token or nothing, a token, or a token or a ticket."""
        filled = re.sub(r"\{\w+\}", "x", path)
        providers = list[str | None]()
        for rule in self._rules:
            if _matches(rule["match"], filled):
                providers.append(rule.get("requires", {}).get("provider_name"))
                if "headers" not in rule["match"]:  # else the next one is for those who send another
                    break
        needed = [_SCHEMES[provider] for provider in providers if provider]
        optional: list[Schema] = [{}] if needed and None in providers else []
        return optional + [{name: list[str]()} for name in sorted(needed)]


def deprecation() -> str:
    """Since when older clients' paths are deprecated and until when they are served, by the headers that say so."""
    template = TEMPLATE.read_text(encoding="utf-8")
    since, until = (re.search(pattern, template) for pattern in (r'"@(\d+)"', r'key: sunset, value: "([^"]+)"'))
    if since is None or until is None:
        raise ValueError("the edge doesn't say since when older clients' paths are deprecated")
    began, ends = datetime.fromtimestamp(int(since[1]), UTC), parsedate_to_datetime(until[1])
    return f"Deprecated since {began:%Y-%m-%d}; served until {ends:%Y-%m-%d}."


def headers(*names: str) -> Schema:
    """References to response headers."""
    return {name: {"$ref": f"{_REFERENCE}/headers/{name}"} for name in names}


def refusals(*, has_body: bool, has_token: bool) -> Schema:
    """References to what a call may be refused with whatever the service does, by status."""
    return {
        status: {"$ref": f"{_REFERENCE}/responses/{name}"}
        for status, (name, _, _) in _REFUSALS.items()
        if (has_body or status not in _OF_BODIES) and (has_token or status != "401")
    }


def usual_reasons(status: str) -> list[str]:
    """The reasons that `refusals` has for a status; none if it hasn't the status."""
    return _REFUSALS[status][2] if status in _REFUSALS else []


def refusal_components() -> dict[str, Schema]:
    """What `refusals` refers to."""
    return {name: response(status, text, reasons) for status, (name, text, reasons) in _REFUSALS.items()}


def response(status: str, description: str, reasons: list[str]) -> Schema:
    """An error's response, with an example for each of its reasons."""
    content: Schema = {"schema": {"$ref": f"{_REFERENCE}/schemas/Status"}}
    content["examples"] = {reason: {"$ref": f"{_REFERENCE}/examples/{reason}"} for reason in reasons}
    return {
        "description": description,
        "headers": headers("x-request-id", *_OF_STATUS.get(status, [])),
        "content": {"application/json": content},
    }


def _matches(match: Mapping[str, Any], path: str) -> bool:
    if "safe_regex" in match:
        return re.fullmatch(match["safe_regex"]["regex"], path) is not None
    return path.startswith(match["prefix"])


def own_paths() -> dict[str, Schema]:
    """What no service answers."""
    health = {
        "operationId": "getHealth",
        "tags": ["Edge"],
        "summary": "Whether the edge takes requests",
        "description": "It says nothing of the services.",
        "security": [],
        "responses": {
            "200": {"description": "It does.", "content": {"text/plain": {"schema": {"const": "ok"}}}},
            "431": {"$ref": f"{_REFERENCE}/responses/HeadersTooLarge"},
            "503": {"description": "It is about to end."},
        },
    }
    return {
        "/healthz": {"get": health},
        "/openapi.yaml": {"get": _file("getDescription", "This description", "application/yaml", {})},
        "/docs": {"get": _file("getReference", "This description as a page", "text/html", {"type": "string"})},
    }


def _file(name: str, summary: str, media_type: str, schema: Schema) -> Schema:
    content = {media_type: {"schema": schema}}
    return {
        "operationId": name,
        "tags": ["Edge"],
        "summary": summary,
        "security": [],
        "responses": {
            "200": {"description": "Done.", "headers": headers("x-request-id"), "content": content},
            "431": {"$ref": f"{_REFERENCE}/responses/HeadersTooLarge"},
        },
    }
