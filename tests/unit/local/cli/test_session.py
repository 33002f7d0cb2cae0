"""Which stack the command line talks to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.cli.session import NoStack, Session
from local.files import write_env

STACK = {
    "ECO2_SUPERVISOR": str(os.getpid()),
    "ECO2_REST_URL": "http://127.0.0.1:8080",
    "ECO2_SCAN_TARGET": "127.0.0.1:12000",
    "ECO2_TOKEN": "stack",
}


def test_the_stack_in_the_folder_is_found(tmp_path: Path) -> None:
    """`eco2 up` in one terminal is enough for `eco2 scan` in another."""
    write_env(tmp_path / "stack.env", STACK)
    assert Session.find(tmp_path, {}) == Session.of(STACK)


def test_the_environment_wins(tmp_path: Path) -> None:
    """That is how one scans as somebody else, or on another stack."""
    write_env(tmp_path / "stack.env", STACK)
    session = Session.find(tmp_path, {"ECO2_TOKEN": "somebody else"})
    assert (session.token, session.rest_url) == ("somebody else", STACK["ECO2_REST_URL"])


def test_a_killed_stack_is_none(tmp_path: Path) -> None:
    """Its address file is still there; its servers are not."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    write_env(tmp_path / "stack.env", {**STACK, "ECO2_SUPERVISOR": str(gone.pid)})
    with pytest.raises(NoStack):
        Session.find(tmp_path, {})


def test_an_empty_variable_is_none() -> None:
    """That is how a shell script unsets one by mistake."""
    with pytest.raises(NoStack, match="ECO2_REST_URL"):
        Session.of({**STACK, "ECO2_REST_URL": ""})


def test_without_a_stack_it_says_so(tmp_path: Path) -> None:
    """And names what is missing, for those who bring their own."""
    with pytest.raises(NoStack, match="ECO2_REST_URL"):
        Session.find(tmp_path, {})
