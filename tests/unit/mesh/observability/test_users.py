"""Logs name no user: a pseudonym stands for them."""

import json
from typing import Any

import pytest
import structlog

from mesh.observability import users
from mesh.observability.users import Pseudonyms
from mesh.settings import ServiceSettings
from tests.unit.mesh.observability.test_log_lines import logging_as

MINA = "mina@example.com"


@pytest.fixture
def of_mina() -> Any:
    """What is told while somebody works for Mina."""
    users.work_for(MINA)
    yield
    users.work_for("")


def told(capfd: pytest.CaptureFixture[str], **facts: Any) -> dict[str, Any]:
    """The line that tells this."""
    with logging_as("json"):
        structlog.get_logger("test").error(f"{MINA} is told", **facts)
    (line,) = "".join(capfd.readouterr()).splitlines()
    assert MINA not in line
    read: dict[str, Any] = json.loads(line)
    return read


@pytest.mark.parametrize(
    "fact",
    [
        MINA,
        f"of {MINA}.",
        [{"who": f"<{MINA}>", MINA: 1}],
        ValueError(f"Key (user_id)=({MINA}) already exists"),
        "y" * 492 + f" {MINA} " + "x" * 600,  # cut in its middle
    ],
    ids=["alone", "in a sentence", "deep", "an exception", "at the cut"],
)
def test_a_line_has_the_pseudonym_instead_of_the_id(
    of_mina: None, fact: object, capfd: pytest.CaptureFixture[str]
) -> None:
    """Wherever a library or a store may quote it; the same one in all lines of the process."""
    line = told(capfd, detail=fact)
    assert line["user"].startswith("u-")
    assert line["event"] == f"{line['user']} is told"
    assert told(capfd)["user"] == line["user"]


def test_an_operator_is_named_where_they_have_changed_something(
    of_mina: None, capfd: pytest.CaptureFixture[str]
) -> None:
    """Who answers for a change isn't hidden; whatever else quotes the id has the pseudonym all the same."""
    with logging_as("json"):
        structlog.get_logger("test").info("replayed", operator=MINA, detail=f"of {MINA}")
    line = json.loads("".join(capfd.readouterr()))
    assert line["operator"] == MINA
    assert line["detail"] == f"of {line['user']}"


def test_an_exceptions_traceback_has_the_pseudonym(of_mina: None, capfd: pytest.CaptureFixture[str]) -> None:
    """Errors of a store quote what they were given."""
    assert told(capfd, exc_info=ValueError(f"of {MINA}"))["exception"]


def test_a_short_id_is_only_looked_for_as_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    """Another issuer's subject may be "error"; lines stay lines."""
    users.work_for("error")
    with logging_as("json"):
        structlog.get_logger("test").error("an error", detail=["errors", "no-error", "error"])
    users.work_for("")
    line = json.loads("".join(capfd.readouterr()))
    assert line["level"] == "error"
    assert line["detail"] == ["errors", "no-error", line["user"]]


def test_for_nobody_in_particular_nothing_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """Such as at start."""
    with logging_as("json"):
        structlog.get_logger("test").error("told")
    assert "user" not in json.loads("".join(capfd.readouterr()))


def test_the_key_decides_the_pseudonym() -> None:
    """The same in all services that have it; without it nobody finds out whose it is by trying ids."""
    key = ServiceSettings(log_pseudonym_key="a key of ours").log_pseudonym_key.get_secret_value()
    assert Pseudonyms(key).of(MINA) == Pseudonyms(key).of(MINA) != Pseudonyms("another").of(MINA)
    assert Pseudonyms().of(MINA) == Pseudonyms().of(MINA) != Pseudonyms(key).of(MINA)
    assert Pseudonyms(key).of("joon") != Pseudonyms(key).of(MINA)
