"""`--json`: documents on standard output, and nothing else anywhere."""

from pathlib import Path

import click
import pytest
from google.protobuf import json_format

from eco2.rules.v1.rules_service_pb2 import FindPlacesResponse
from eco2.scan.v1 import scan_pb2
from local.cli import commands
from mesh.errors import NotFound, ResourceExhausted
from mesh.locale import Locale
from mesh.reasons import Reason
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge, refused
from tests.support.cli.replies import CLIP_ID, JOB_ID, SCAN_ID, SHEET, Scans

# A command of each kind, how many documents it prints, and a key that the first one has.
CALLS: list[tuple[list[str], int, str]] = [
    (["scan", "cup.png"], 1, "classification"),
    (["scan", "cup.png", "https://example.com/can.png"], 2, "source"),
    (["watch", SCAN_ID], 2, "progress"),
    (["show", SCAN_ID], 1, "classification"),
    (["jobs"], 1, "scans"),
    (["jobs", "list"], 1, "jobs"),
    (["jobs", "show", JOB_ID], 1, "export_result"),
    (["jobs", "watch", JOB_ID], 1, "percent"),
    (["jobs", "cancel", JOB_ID], 1, "state"),
    (["history"], 1, "scans"),
    (["answer", SCAN_ID, "it is empty"], 1, "understood"),
    (["correct", SCAN_ID, "battery"], 1, "scan"),
    (["cancel", SCAN_ID], 1, "state"),
    (["delete", SCAN_ID], 1, "deleted"),
    (["schedule"], 1, "tonight"),
    (["accuracy"], 1, "classes"),
    (["items", "can"], 1, "items"),
    (["taxonomy"], 1, "majors"),
    (["rules", "show", "can"], 1, "rules"),
    (["places", "near", "37.55,126.92"], 1, "places"),
    (["building", "create", "house.json"], 1, "code"),
    (["building", "show"], 1, "buildings"),
    (["building", "show", "K7PD2MTX"], 1, "code"),
    (["building", "update", "house.json"], 1, "code"),
    (["building", "delete", "K7PD2MTX"], 1, "deleted"),
    (["building", "join", "K7PD2MTX"], 1, "code"),
    (["building", "leave"], 1, "left"),
    (["characters"], 1, "characters"),
    (["characters", "--mine"], 1, "characters"),
    (["login", "--guest"], 1, "user_id"),
    (["logout"], 1, "signed_out"),
    (["logout", "--everywhere"], 1, "signed_out"),
    (["whoami"], 1, "user_id"),
    (["batch", "photos.csv"], 1, "file"),
    (["video", "--job", CLIP_ID], 1, "classification"),
    (["export", "--thumbnails", "--from", "2026-11-01"], 1, "job"),
    (["export", "--all", "-o", "mine.zip"], 1, "file"),
    (["delete-me", "--yes"], 1, "message"),
]
# Shown elsewhere: with a Scan of its own, a stack of its own, or no documents by nature.
ELSEWHERE = {
    *("queue", "dead-letters list", "dead-letters replay", "dead-letters archive", "events"),
    *("webhooks list", "webhooks redeliver"),
    *("compare choices", "compare create", "compare list", "compare show", "compare scans"),
    *("compare cancel", "compare delete"),
    *("places import", "migrate", "up", "demo", "token", "doctor", "completion"),
}


@pytest.fixture(autouse=True)
def _files(run: Run, tmp_path: Path, scans: Scans) -> None:
    (tmp_path / "cup.png").write_bytes(b"photo")
    (tmp_path / "photos.csv").write_bytes(SHEET)
    (tmp_path / "house.json").write_text('{"code": "K7PD2MTX", "name": "한빛아파트", "region": "11440", "etag": "1"}')


def test_every_command_prints_documents_and_nothing_else(eco2: Run) -> None:
    """What a program reads must not be mixed with what a person reads."""
    for command, count, key in CALLS:
        ended = eco2(*command, "--json")
        assert (ended.status, ended.err) == (0, ""), (command, ended)
        assert len(ended.documents) == count, (command, ended.out)
        assert key in ended.documents[0], (command, ended.out)


def test_the_same_commands_speak_to_people(eco2: Run) -> None:
    """Without it nobody reads braces."""
    for command, _, _ in CALLS:
        ended = eco2(*command)
        assert ended.status == 0, (command, ended)
        assert ended.out
        assert "{" not in ended.out, (command, ended.out)


def test_no_command_is_forgotten() -> None:
    """A new one comes with a line above."""
    names = set()
    for section in commands.SECTIONS.values():
        for name in section:
            found = eco2_command(name)
            names |= {f"{name} {child}" for child in found.commands} if isinstance(found, click.Group) else {name}
    called = {name for name in names for command, _, _ in CALLS if command[: len(name.split())] == name.split()}
    assert names - called == ELSEWHERE


def eco2_command(name: str) -> click.Command:
    """A command by its name."""
    found = commands.eco2.get_command(click.Context(commands.eco2), name)
    assert found is not None
    return found


def test_a_document_is_the_apis_own(eco2: Run) -> None:
    """Whoever knows the description of the API can read it."""
    (document,) = eco2("show", SCAN_ID, "--json").documents
    read = json_format.ParseDict(document, scan_pb2.Scan())
    assert (read.scan_id, read.classification.display_name) == (SCAN_ID, "Metal can")


def test_an_empty_list_is_a_list(eco2: Run, edge: FakeEdge) -> None:
    """The API leaves it out, and jq complains then."""
    edge.answers["GET /v1/places"] = FindPlacesResponse()
    assert eco2("places", "near", "37.55,126.92", "--json").documents == [{"places": []}]


def test_a_refusal_is_a_document_too(eco2: Run, edge: FakeEdge) -> None:
    """On standard error, with what a program decides by."""
    edge.answers[f"GET /v1/scans/{SCAN_ID}"] = refused(NotFound(Reason.SCAN_NOT_FOUND, scan_id=SCAN_ID), 404)
    ended = eco2("show", SCAN_ID, "--json")
    assert (ended.status, ended.out, ended.error["reason"]) == (1, "", "SCAN_NOT_FOUND")
    assert ended.error["message"] == NotFound(Reason.SCAN_NOT_FOUND, scan_id=SCAN_ID).text(Locale.EN)


def test_it_says_when_to_come_again(eco2: Run, edge: FakeEdge) -> None:
    """As a number."""
    error = ResourceExhausted(Reason.SCAN_BACKLOG, retry_after=7.0)
    edge.answers["GET /v1/scans"] = refused(error, 429)
    assert eco2("history", "--json").error["retry_after_seconds"] == 7


@pytest.mark.parametrize(
    ("command", "variables", "status", "reason"),
    [
        (["history", "--limit", "x"], {}, 2, "USAGE"),
        (["scan", "nowhere.png"], {}, 2, "USAGE"),
        (["history", "--nonsense"], {}, 2, "USAGE"),
        (["history"], {"ECO2_REST_URL": "http://127.0.0.1:1"}, 1, "UNREACHABLE"),
        (["history"], {"ECO2_REST_URL": "nonsense"}, 2, "USAGE"),
        (["history"], {"ECO2_REST_URL": ""}, 1, "NO_STACK"),
    ],
    ids=["value", "file", "option", "server", "address", "stack"],
)
def test_every_kind_of_error_is_a_document(
    eco2: Run, command: list[str], variables: dict[str, str], status: int, reason: str
) -> None:
    """Also those before the command even begins."""
    ended = eco2(*command, "--json", **variables)
    assert (ended.status, ended.out, ended.error["reason"]) == (status, "", reason)
