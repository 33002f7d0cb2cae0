"""The clients for Kotlin and Swift, as far as they can be checked without their compilers and without Java."""

import re
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_kotlin
import tree_sitter_swift
import yaml
from tree_sitter import Language, Node, Parser

from clients.generate import CLIENTS, DESCRIPTION, plain

EXAMPLES = CLIENTS.parent / "examples"
GRAMMARS = {".kt": tree_sitter_kotlin, ".swift": tree_sitter_swift}
SOURCES = [
    CLIENTS / "kotlin" / "Eco2Client.kt",
    CLIENTS / "swift" / "Eco2Client.swift",
    EXAMPLES / "kotlin" / "Scan.kt",
    EXAMPLES / "swift" / "Scan.swift",
]
# What is sent and got, in the order of the calls.
MODELS = {"CreateScanRequest", "CreateScanResponse", "Upload", "UploadTicket", "Scan", "Status", "WatchScanResponse"}
# The fields of them that the files by hand read or write, as the generators spell them.
FIELDS = {
    "CreateScanRequest": {"upload", "request_id"},
    "CreateScanResponse": {"scan", "upload"},
    "Upload": {"content_type", "size_bytes", "sha256"},
    "UploadTicket": {"url", "method", "headers"},
    "Scan": {"scan_id", "version", "progress", "answer", "error"},
    "Status": {"message", "details"},
    "StatusDetail": {"reason", "locale", "message", "retry_delay"},
    "WatchScanResponse": {"scan"},
}


def broken(node: Node, source: bytes) -> list[str]:
    """Where a file isn't in its language."""
    if node.is_error or node.is_missing:
        return [f"line {node.start_point[0] + 1}: {source[node.start_byte : node.end_byte][:60].decode()}"]
    return [found for child in node.children if child.has_error for found in broken(child, source)]


def parsed(ending: str, source: bytes) -> list[str]:
    """What is wrong with a source; nothing is well."""
    tree = Parser(Language(GRAMMARS[ending].language())).parse(source)
    return broken(tree.root_node, source)


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """The description's models, as openapi-generator gets them."""
    described: dict[str, Any] = plain(yaml.safe_load(DESCRIPTION.read_text("utf-8")))["components"]["schemas"]
    return described


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.parent.name}/{source.name}")
def test_a_file_by_hand_is_in_its_language(source: Path) -> None:
    """A brace too few is found as well, or this would say nothing."""
    text = source.read_bytes()
    assert parsed(source.suffix, text) == []
    assert parsed(source.suffix, text.replace(b"{", b"", 1)) != []


def test_the_description_has_what_the_files_by_hand_name(schemas: dict[str, Any]) -> None:
    """They compile beside generated models; renaming one of these would break them, and no compiler runs here."""
    kotlin = SOURCES[0].read_text("utf-8")
    imported = set(re.findall(r"^import app\.eco2\.client\.models\.(\w+)$", kotlin, re.MULTILINE))
    assert imported >= MODELS
    assert imported <= schemas.keys()
    swift = SOURCES[1].read_text("utf-8")
    assert all(re.search(rf"\b{name}\b", swift) for name in MODELS)
    for name, fields in FIELDS.items():
        assert fields <= schemas[name]["properties"].keys(), name


def test_models_are_plain_enough_for_the_generator(schemas: dict[str, Any]) -> None:
    """An error's details are one class, and no object is a choice; the fields of neither are lost."""
    details = schemas["Status"]["properties"]["details"]["items"]
    assert details == {"$ref": "#/components/schemas/StatusDetail"}
    assert {"@type", "metadata", "field_violations"} <= schemas["StatusDetail"]["properties"].keys()
    choices = [name for name, schema in schemas.items() if "properties" in schema and "oneOf" in schema]
    assert choices == []
    used = set(re.findall(r"#/components/schemas/(\w+)", yaml.safe_dump(schemas)))
    assert used <= schemas.keys()
