"""The committed description says what the protos say."""

import re
from html.parser import HTMLParser

import pytest
from google.protobuf.descriptor import FieldDescriptor

from local.stack.envoy import REFERENCE
from mesh.reasons import Reason
from openapi.samples import curl, resolved
from tests.support.description import description, operations
from tests.support.edge.rest_contract import Binding, bindings, is_public, rpcs

OWN = {"/healthz", "/openapi.yaml", "/docs"}


def test_every_public_path_is_described_and_no_other() -> None:
    """Internal RPCs are nobody's business outside."""
    described = {(verb.upper(), path) for verb, path, _ in operations() if path not in OWN}
    assert described == {(binding.verb, binding.template) for binding in bindings()}


@pytest.mark.parametrize("binding", [binding for binding in bindings() if binding.older], ids=str)
def test_older_paths_are_marked(binding: Binding) -> None:
    """Nobody should begin to use them."""
    assert description()["paths"][binding.template][binding.verb.lower()]["deprecated"]


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    """Generated clients name their methods by it."""
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len({*names}) == len(names)
    assert all(operation["summary"] for _, _, operation in operations())


def test_every_field_of_a_reply_is_described() -> None:
    """By its comment; those of Google's types by what they are."""
    schemas = description()["components"]["schemas"]
    without = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        if name not in {"Status", "ErrorInfo", "RetryInfo", "LocalizedMessage", "BadRequest"}
        for field, value in schema.get("properties", {}).items()
        if not value.get("description")
    ]
    assert without == []


def test_a_requests_body_is_closed_and_says_what_it_needs() -> None:
    """The edge refuses what no field has; protovalidate what is missing."""
    schema = description()["components"]["schemas"]["CreateScanRequest"]
    assert schema["additionalProperties"] is False
    assert schema["oneOf"] == [{"required": ["upload"]}, {"required": ["image_url"]}]
    assert schema["properties"]["user_input"]["maxLength"] == 500
    upload = description()["components"]["schemas"]["Upload"]
    assert upload["required"] == ["content_type", "size_bytes"]
    assert (upload["properties"]["size_bytes"]["maximum"], upload["properties"]["content_type"]["enum"][0]) == (
        20971520,
        "image/jpeg",
    )


def test_what_an_rpc_is_refused_for_has_its_status_and_an_example() -> None:
    """As the services make them."""
    start = description()["paths"]["/v1/scans/{scan_id}:start"]["post"]["responses"]
    assert [*start["400"]["content"]["application/json"]["examples"]] == [
        "INVALID_FIELD",
        "SCAN_STATE",
        "PHOTO_NOT_UPLOADED",
        "PHOTO_MISMATCH",
    ]
    assert "retry-after" in resolved(description(), start["429"])["headers"]
    for reason, example in description()["components"]["examples"].items():
        info = example["value"]["details"][0]
        assert (info["@type"], info["reason"]) == ("type.googleapis.com/google.rpc.ErrorInfo", reason)


def test_examples_are_in_the_order_of_their_comments() -> None:
    """A protobuf's map has another one in each process, and the file would change with it."""
    example = description()["components"]["examples"]["RATE_LIMIT"]["value"]
    assert [*example["details"][0]["metadata"]] == ["rpc", "most", "window_seconds"]


def test_every_reason_is_described() -> None:
    """Clients decide by them."""
    assert {*description()["components"]["schemas"]["ErrorReason"]["enum"]} == {*Reason.__members__}


def test_a_creation_leads_to_what_takes_its_id() -> None:
    """Generated clients and Schemathesis go on from there."""
    create = description()["paths"]["/v1/scans"]["post"]["responses"]["200"]["links"]
    assert create["watchScan"]["parameters"] == {"scan_id": "$response.body#/scan/scan_id"}
    assert {"startScan", "getScan", "deleteScan"} <= {*create}
    building = description()["paths"]["/v1/buildings"]["post"]["responses"]["200"]["links"]
    assert building["updateBuilding"]["parameters"] == {"code": "$response.body#/code"}
    assert "links" not in description()["paths"]["/v1/rules:match"]["post"]["responses"]["200"]


def test_how_often_it_may_be_called_is_told() -> None:
    """From the table that the edge counts by."""
    create = description()["paths"]["/v1/scans"]["post"]
    assert "At most 600 by one user and 3,000 from one address a minute." in create["description"]
    assert "x-ratelimit-remaining" in create["responses"]["200"]["headers"]
    assert "RATE_LIMIT" in create["responses"]["429"]["content"]["application/json"]["examples"]
    assert "x-ratelimit-remaining" not in description()["paths"]["/v1/scans"]["get"]["responses"]["200"]["headers"]


def test_a_watch_is_lines_or_events() -> None:
    """Two RPCs share its path, told apart by Accept."""
    watch = description()["paths"]["/v1/scans/{scan_id}:watch"]["get"]
    assert [*watch["responses"]["200"]["content"]] == ["application/x-ndjson", "text/event-stream"]
    assert {"$ref": "#/components/parameters/LastEventID"} in watch["parameters"]


@pytest.mark.parametrize(
    ("path", "verb", "security"),
    [
        ("/v1/scans", "post", [{"token": []}]),
        ("/v1/scans/{scan_id}:watch", "get", [{"token": []}, {"watchTicket": []}]),
        ("/v1/scans/{scan_id}:watchTicket", "post", [{"token": []}]),
        ("/v1/auth/guest", "post", []),
        ("/v1/auth/{provider}:begin", "post", [{}, {"token": []}]),
        ("/.well-known/jwks.json", "get", []),
    ],
)
def test_who_needs_a_token(path: str, verb: str, security: list[object]) -> None:
    """Read from the edge's rules."""
    assert description()["paths"][path][verb]["security"] == security


def test_64_bit_integers_are_text() -> None:
    """In JSON they would lose digits: no public message may have one described as a number."""
    wide = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
    schemas = description()["components"]["schemas"]
    found = [
        schemas[message.name]["properties"][field.name]["type"]
        for rpc in filter(is_public, rpcs())
        for message in (rpc.input_type, rpc.output_type)
        for field in message.fields
        if field.cpp_type in wide
    ]
    assert found
    assert set(found) == {"string"}


class Page(HTMLParser):
    """Ids, links within the page, and elements that fetch or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += filter(None, [found.get("id")])
        href = found.get("href") or ""
        self.links += [href[1:]] if href.startswith("#") else []
        if tag in {"script", "link", "img", "iframe"} or (href.startswith("http") and tag != "a"):
            self.foreign.append(tag)


def test_the_page_shows_every_operation_and_schema_and_leads_nowhere_wrong() -> None:
    """Without a script, and without anything from elsewhere."""
    page = Page()
    page.feed(REFERENCE.read_text(encoding="utf-8"))
    assert {operation["operationId"] for _, _, operation in operations()} <= {*page.ids}
    assert {f"schema-{name}" for name in description()["components"]["schemas"]} <= {*page.ids}
    assert {*page.links} <= {*page.ids}
    assert len({*page.ids}) == len(page.ids)
    assert page.foreign == []


def test_a_sample_has_what_is_required() -> None:
    """The shortest request that is valid."""
    command = curl(description(), "post", "/v1/scans", description()["paths"]["/v1/scans"]["post"])
    assert re.search(r"""-d '\{"upload": \{"content_type": "image/jpeg", "size_bytes": 1\}\}'$""", command)
