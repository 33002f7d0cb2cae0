"""Both clients are one, and tell what they do."""

import ast
import inspect
import re
import sys
import tomllib
from pathlib import Path

import pytest

import eco2_client
from eco2_client import AsyncClient, Client

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "clients" / "python" / "src" / "eco2_client"


def surface(client: type) -> dict[str, list[str]]:
    """A client's methods and parameters, those of its rooms too."""
    found = {}
    rooms = {"": client}
    with_rooms = client("http://eco2.test")
    rooms |= {name: type(room) for name, room in vars(with_rooms).items() if not name.startswith("_")}
    for room, kind in rooms.items():
        for name, member in vars(kind).items():
            if not name.startswith("_") and callable(member):
                found[f"{room}.{name}".replace("aclose", "close")] = list(inspect.signature(member).parameters)
    return found


def test_both_clients_have_one_surface() -> None:
    """But for `await`."""
    assert surface(AsyncClient) == surface(Client)
    assert len(surface(Client)) > 30


def test_it_imports_what_it_says_it_needs() -> None:
    """And nothing of the services."""
    project = tomllib.loads((ROOT / "clients" / "python" / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["shrink"]]
    imported = set()
    for file in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    outside = imported - sys.stdlib_module_names - {"eco2_client"}
    assert {"pillow" if name == "PIL" else name for name in outside} == {
        line.partition(">=")[0].partition("[")[0] for line in needed
    }


def test_every_error_tells_what_it_is() -> None:
    """One root, and a class for whatever can be decided by."""
    errors = [each for each in vars(eco2_client).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert all(issubclass(each, eco2_client.Eco2Error) and each.__doc__ for each in errors)
    assert issubclass(eco2_client.Disconnected, ConnectionError)
    assert issubclass(eco2_client.TimedOut, TimeoutError)


@pytest.mark.parametrize("client", [AsyncClient, Client])
def test_every_call_says_what_it_raises(client: type) -> None:
    """In its docstring, or its room's."""
    for name, room in vars(client("http://eco2.test")).items():
        if not name.startswith("_"):
            assert re.search(r"raise", inspect.getdoc(type(room)) or ""), name
            for each in vars(type(room)).values():
                assert not inspect.isfunction(each) or each.__name__.startswith("_") or each.__doc__
