"""The tree of commands: every one explains itself, and none is loaded before it is called."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from local.cli import commands, reference
from local.cli.commands import SECTIONS, eco2
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge
from tests.support.cli.replies import Scans

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "cli.md"
# What takes long to load; a command takes of it what it needs, and `eco2 -h` nothing.
HEAVY = (
    *("grpc", "asyncpg", "boto3", "botocore", "obstore", "redis", "pydantic", "openai", "numpy", "PIL", "aiohttp"),
    *("opentelemetry", "structlog", "cryptography", "asyncio", "httpx2", "anyio", "yaml", "psutil"),
    *("scan_svc", "vision_svc", "rules_svc", "character_svc", "auth_svc", "local.stack"),
)
LOADED = """
import sys
from local.cli import main
sys.argv = ["eco2", *sys.argv[1:]]
try:
    main.main()
except SystemExit as ended:
    status = ended.code
print(*sorted({name for name in sys.modules}), file=sys.stderr)
sys.exit(status)
"""


def paths() -> Iterator[list[str]]:
    """Every command, groups too."""
    yield []
    for section in SECTIONS.values():
        for name in section:
            yield [name]
            found = eco2.get_command(click.Context(eco2), name)
            if isinstance(found, click.Group):
                yield from ([name, child] for child in found.commands)


def found(path: list[str]) -> click.Command:
    """The command at a path."""
    command: click.Command = eco2
    for name in path:
        assert isinstance(command, click.Group)
        child = command.get_command(click.Context(command), name)
        assert child is not None
        command = child
    return command


PATHS = [*paths()]
COMMANDS = [path for path in PATHS if not isinstance(found(path), click.Group)]


def modules(*command: str, **variables: str) -> tuple[int, set[str]]:
    """How a command ends in a process of its own, and what it has loaded by then."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *command], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": os.defpath, **variables},
    )  # fmt: skip
    return done.returncode, set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_every_command_has_help_with_examples(run: Run, asked: str) -> None:
    """A newcomer asks the command, not the source."""
    for path in PATHS:
        ended = run(*path, asked)
        assert (ended.status, ended.err) == (0, ""), path
        assert "Usage: eco2" in ended.out
        assert ("Examples:" in ended.out) == (path in COMMANDS), path


def test_a_summary_is_what_the_command_says_of_itself() -> None:
    """`eco2 -h` tells it without loading the command."""
    for section in SECTIONS.values():
        for name, (_, summary) in section.items():
            help_ = found([name]).help
            assert help_ is not None
            assert help_.partition("\n\n")[0].replace("\n", " ") == summary


def test_every_example_is_a_command_that_parses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are typed as they stand; files that they name are there."""
    monkeypatch.chdir(tmp_path)
    for name in ("bins.csv", "house.json"):
        (tmp_path / name).touch()
    for path in COMMANDS:
        command = found(path)
        assert isinstance(command, commands.Command)
        for example in command.examples:
            words = shlex.split(example.partition(" | ")[0].partition(" >")[0])
            words = words[words.index("eco2") + 1 :]
            assert words[: len(path)] == path, example
            with command.make_context(path[-1], words[len(path) :]):
                pass


def test_the_page_is_what_the_commands_say() -> None:
    """`make gen` writes it."""
    assert PAGE.read_text("utf-8") == reference.page()


@pytest.mark.parametrize("arguments", [["--version"], ["-h"], ["scna"]], ids=" ".join)
def test_the_start_loads_nothing_but_the_parser(arguments: list[str]) -> None:
    """A fifth of a second is what people take for at once; a module that creeps in costs half of it."""
    _, loaded = modules(*arguments)
    top = {name.partition(".")[0] for name in loaded}
    assert not {name for name in HEAVY if name in top | loaded}
    assert not top & {"rich", "google", "eco2", "urllib3", "msgspec", "http", "ssl"}


def test_a_call_loads_what_it_calls_with(edge_url: str) -> None:
    """Protos and HTTP; off a terminal nothing that draws."""
    status, loaded = modules("items", "can", ECO2_REST_URL=edge_url, ECO2_TOKEN="token", VAR="/none")
    top = {name.partition(".")[0] for name in loaded}
    assert status == 0
    assert {"google", "urllib3"} <= top
    assert not {name for name in (*HEAVY, "rich", "msgspec") if name in top | loaded}


@pytest.fixture
def edge_url(scans: Scans, edge: FakeEdge) -> str:
    """The address of an edge that answers everything."""
    return edge.url


def test_help_of_an_operators_command_loads_no_grpc() -> None:
    """The call alone needs it, and mutual TLS alone what reads certificates."""
    status, loaded = modules("dead-letters", "list", "-h")
    top = {name.partition(".")[0] for name in loaded}
    assert status == 0
    assert not {name for name in HEAVY if name in top | loaded}


def test_the_version_is_the_packages(run: Run) -> None:
    """It belongs into every report of a fault."""
    assert run("--version").out == f"eco2 {version('eco2')}\n"


def test_alone_it_shows_what_there_is(run: Run) -> None:
    """And ends as a command that is incomplete."""
    ended = run()
    assert ended.status == 2
    assert "scan" in ended.out + ended.err


@pytest.mark.parametrize(("typed", "meant"), [("scna", "scan"), ("histroy", "history")])
def test_what_was_mistyped_comes_with_what_was_meant(run: Run, typed: str, meant: str) -> None:
    """In a line, not a page."""
    ended = run(typed)
    assert ended.status == 2
    assert f"'{meant}'" in ended.err


def test_without_the_embedded_stack_its_commands_say_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an image."""
    monkeypatch.setattr(commands, "find_spec", lambda _: None)
    ended = run("up", "--port", "0")
    assert ended.status == 2
    assert "eco2[local]" in ended.err


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_can_complete(run: Run, shell: str) -> None:
    """The script asks the command itself."""
    assert "_ECO2_COMPLETE" in run("completion", shell).out


def test_completion_knows_commands_and_options(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """By their beginnings."""
    answers = {"eco2 hi": "history", "eco2 history --li": "--limit", "eco2 dead-letters re": "replay"}
    for words, expected in answers.items():
        typed = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_ECO2_COMPLETE": "zsh_complete"}
        for name, value in typed.items():
            monkeypatch.setenv(name, value)
        assert expected in run().out.splitlines(), words
