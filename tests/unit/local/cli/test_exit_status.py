"""How commands end that can't do their work: in one line, with a status that scripts may trust."""

import errno
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from local.cli import exit_status
from local.cli.api.errors import ApiError, ErrorText
from local.cli.session import NoStack
from local.errors import CannotStart, Disconnected, Misuse, NotStarted
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge
from tests.support.cli.replies import Scans

NO_TEXT = "\udcff"  # how Python reads an argument's byte 0xff
UNREACHABLE = {"ECO2_REST_URL": "http://127.0.0.1:1", "ECO2_SCAN_TARGET": "127.0.0.1:1", "ECO2_TOKEN": "token"}

Fail = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def fail(run: Run, tmp_path: Path) -> Fail:
    """Runs a command beside a photo, with a stack that doesn't answer: its status, and its lines on stderr."""
    (tmp_path / "photo.png").touch()

    def fail(*command: str, **variables: str) -> tuple[int, list[str]]:
        ended = run(*command, **{"VAR": str(tmp_path), **UNREACHABLE, **variables})
        assert ended.out == ""
        return ended.status, ended.err.splitlines()

    return fail


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"ECO2_TLS_CERT": "none", "ECO2_TLS_KEY": "none", "ECO2_TLS_CA": "none"}, "ECO2_TLS_CERT: none: No such file"),
        ({"ECO2_TLS_CERT": "none"}, "ECO2_TLS_KEY and ECO2_TLS_CA: not set"),
    ],
    ids=["missing", "half"],
)
def test_an_operators_certificate_that_cant_be_used_is_named(fail: Fail, variables: dict[str, str], told: str) -> None:
    """Without it Scan's port says nothing at all."""
    status, lines = fail("queue", **variables)
    assert (status, len(lines)) == (2, 1)
    assert told in lines[0]


@pytest.mark.parametrize(
    "command",
    [
        ["watch", NO_TEXT],
        ["rules", "show", NO_TEXT],
        ["dead-letters", "replay", NO_TEXT],
        ["scan", "photo.png", "--region", NO_TEXT],
        ["places", "near", "37.55,126.92", "--material", NO_TEXT],
    ],
    ids=lambda command: command[0],
)
def test_what_was_typed_must_be_text(fail: Fail, command: list[str]) -> None:
    """Half a character pasted from elsewhere; the line shows which word it was."""
    status, lines = fail(*command)
    assert (status, len(lines)) == (2, 1)
    assert r"\udcff" in lines[0]


@pytest.mark.parametrize("token", ["마포", "a\nb", "\udcff"])
@pytest.mark.parametrize("command", [["history"], ["watch", "a1"]], ids=lambda command: command[0])
def test_what_no_header_can_carry_is_no_token(fail: Fail, command: list[str], token: str) -> None:
    """Over gRPC and REST alike, and before either library says so in its own way."""
    status, lines = fail(*command, ECO2_TOKEN=token)
    assert (status, len(lines)) == (2, 1)
    assert "ECO2_TOKEN" in lines[0]


@pytest.mark.parametrize("url", ["http://한글:x", "127.0.0.1:8080", "http://\udcff"])
def test_a_rest_address_must_be_one(fail: Fail, url: str) -> None:
    """ "Is it up?" would send a person looking in the wrong place."""
    status, lines = fail("history", ECO2_REST_URL=url)
    assert (status, len(lines)) == (2, 1)
    assert "ECO2_REST_URL" in lines[0]


@pytest.mark.parametrize(
    "command", [["queue"], ["history"], ["token"], ["up"], ["migrate"]], ids=lambda words: words[0]
)
def test_a_folder_that_is_none_is_named(fail: Fail, command: list[str]) -> None:
    """`VAR` is easily set to a file."""
    status, lines = fail(*command, VAR="/dev/null")
    assert (status, len(lines)) == (2, 1)
    assert "/dev/null" in lines[0]


def test_the_doctor_tells_of_a_folder_that_is_none(run: Run) -> None:
    """Whoever doesn't know what is wrong asks the doctor, who must not fall ill himself."""
    ended = run("doctor", VAR="/dev/null")
    assert (ended.status, ended.err) == (1, "")
    assert "/dev/null isn't a folder" in ended.out


def test_an_address_file_that_is_none_is_named(fail: Fail, tmp_path: Path) -> None:
    """Somebody edited it, or it is another program's."""
    (tmp_path / "stack.env").write_text("it's", encoding="utf-8")
    status, lines = fail("queue")
    assert (status, len(lines)) == (2, 1)
    assert "stack.env" in lines[0]


@pytest.mark.parametrize("content", [b"garbage", b"{}", b"[1]", b"\xff"])
@pytest.mark.parametrize(
    ("name", "command"), [("secrets", ["token"]), ("ports.json", ["up"])], ids=["secrets", "ports"]
)
def test_what_the_stack_keeps_may_be_damaged(
    fail: Fail, tmp_path: Path, name: str, command: list[str], content: bytes
) -> None:
    """A full disk, an editor: the file is named, since somebody must mend or delete it."""
    if (name, content) == ("ports.json", b"{}"):
        content = b'{"postgres": "no port"}'
    (tmp_path / name).write_bytes(content)
    status, lines = fail(*command)
    assert (status, len(lines)) == (2, 1)
    assert name in lines[0]


def test_somebody_elses_folder_is_closed(fail: Fail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address file holds passwords, so only its owner reads it."""

    def closed(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("local.cli.session.read_env", closed)
    status, lines = fail("queue")
    assert (status, len(lines)) == (2, 1)
    assert "stack.env" in lines[0]


@pytest.mark.parametrize(
    "url", ["garbage", "postgresql://x@127.0.0.1:port/x", "postgresql://[", "postgresql://x:pass-word/x@db/x"]
)
def test_a_database_address_must_be_one(fail: Fail, url: str) -> None:
    """At once, without a try to connect."""
    status, lines = fail("migrate", ECO2_DATABASE_URL=url)
    assert (status, len(lines)) == (2, 1)
    assert "ECO2_DATABASE_URL" in lines[0]
    assert "pass-word" not in lines[0]


def test_migrating_a_database_that_is_away_says_so_at_once(fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Production's command waits for a minute, since the database starts beside it; a person looks at nothing."""

    async def patient(_: str) -> str:
        raise AssertionError("it tried to migrate")

    monkeypatch.setattr("local.stack.preparation.migrate", patient)
    status, lines = fail("migrate", ECO2_DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert (status, len(lines)) == (1, 1)
    assert "PostgreSQL" in lines[0]


@pytest.mark.parametrize("user", ["", NO_TEXT, "a" * 129, "a\nb", "a "])
def test_a_token_is_only_issued_to_who_can_use_it(fail: Fail, tmp_path: Path, user: str) -> None:
    """The edge or a service would refuse it, much later and in other words."""
    status, lines = fail("token", "--user", user)
    assert status == 2
    assert "--user" in "".join(lines)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ApiError(ErrorText("SCAN_NOT_FOUND", "There is no such scan.")), 1),
        (Disconnected("refused"), 1),
        (NoStack("no stack"), 1),
        (NotStarted("postgres"), 1),
        (CannotStart("Port 8080 is taken"), 1),
        (FileNotFoundError("envoy"), 1),
        (OSError(errno.ENOSPC, "No space left on device"), 1),
        (Misuse("no token"), 2),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/dev/null/x"), 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_status_says_whose_turn_it_is(error: Exception, status: int) -> None:
    """1: later, perhaps. 2: not as it was typed or set."""
    ending = exit_status.of(error)
    assert ending is not None
    assert ending.status == status
    assert ending.line


def test_whoever_calls_too_often_is_told_when_to_come_again() -> None:
    """A script may wait so long."""
    ending = exit_status.of(ApiError(ErrorText("RATE_LIMIT", "Too many requests.", 7)))
    assert ending is not None
    assert ending.line == "RATE_LIMIT: Too many requests. (try again in 7 s)"
    assert ending.wait == 7


OURS = [KeyError("x"), ValueError("x"), UnicodeEncodeError("ascii", "마포", 0, 2, "ordinal not in range(128)")]


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
def test_a_mistake_of_ours_keeps_its_traceback(error: Exception) -> None:
    """Nobody can mend what was said in one line only."""
    assert exit_status.of(error) is None


@pytest.mark.parametrize(
    "command",
    [
        *(["history"], ["jobs"], ["watch", "a1"], ["show", "a1"], ["cancel", "a1"], ["answer", "a1", "yes"]),
        *(["scan", "photo.png"], ["items", "can"], ["rules", "show", "can"], ["places", "near", "37.5,126.9"]),
        *(["building", "show"], ["characters"], ["login"], ["whoami"], ["export"], ["delete-me", "--yes"], ["queue"]),
        *(["export", "--all"], ["jobs", "show", "a1"], ["jobs", "watch", "a1"], ["jobs", "cancel", "a1"]),
    ],
    ids=" ".join,
)
def test_a_server_that_is_away_is_told_in_a_line(
    fail: Fail, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every command, with what to ask next."""
    monkeypatch.setattr("local.cli.api.watch._PAUSE_SECONDS", 0)
    status, lines = fail(*command)
    assert (status, len(lines)) == (1, 1)
    assert "Can't reach the stack" in lines[0]
    assert "Traceback" not in lines[0]


@pytest.mark.parametrize("content", ["garbage", "[]", '{"http://127.0.0.1:1": {}}'])
def test_damaged_credentials_are_named(fail: Fail, tmp_path: Path, content: str) -> None:
    """Somebody edited them, or the disk was full."""
    (tmp_path / ".config" / "eco2").mkdir(parents=True)
    (tmp_path / ".config" / "eco2" / "credentials.json").write_text(content, encoding="utf-8")
    status, lines = fail("history", ECO2_TOKEN="")
    assert (status, len(lines)) == (2, 1)
    assert "credentials.json" in lines[0]


@pytest.mark.parametrize("command", [["history"], ["watch", "a1"], ["token"], ["migrate"], ["queue"], ["items", "can"]])
def test_without_a_stack_a_command_says_what_to_do(run: Run, command: list[str]) -> None:
    """The commonest mistake of the first day."""
    ended = run(*command)
    assert (ended.status, len(ended.err.splitlines())) == (1, 1)
    assert "eco2 up" in ended.err


@pytest.mark.parametrize("kind", [[], ["--all"]], ids=["history", "all"])
def test_a_missing_folder_is_told_before_anything_is_exported(run: Run, kind: list[str]) -> None:
    """An export may take minutes."""
    ended = run("export", *kind, "-o", "missing/mine.zip")
    assert ended.status == 2
    assert "there is no folder" in ended.err


@pytest.mark.parametrize(("command", "status"), [(["delete-me"], 1), (["delete-me", "--json"], 2)])
@pytest.mark.parametrize("said", ["n\n", ""])
def test_who_is_asked_and_doesnt_say_yes_keeps_everything(
    eco2: Run, scans: Scans, edge: FakeEdge, command: list[str], status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script says nothing at all; a program isn't even asked."""
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    assert eco2(*command).status == status
    assert edge.asked("DELETE /v1/me") == []
