"""Which stack the command line uses, and as which user."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local.cli.account.signed_in import current_token
from local.errors import Misuse
from local.files import ENV_FILE, read_env


class NoStack(Exception):
    """No stack is running; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Session:
    """An address and a token.

    Attributes:
        rest_url: The edge.
        token: The user's bearer token.
    """

    rest_url: str
    token: str

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """From the variables of an address file.

        Raises:
            NoStack: One is missing.
            Misuse: The token isn't valid.
        """
        session = cls(rest_url=required(variables, "ECO2_REST_URL"), token=required(variables, "ECO2_TOKEN"))
        if not (session.token.isascii() and session.token.isprintable()):
            raise Misuse("ECO2_TOKEN isn't a token: no header can carry it")
        return session

    @classmethod
    def find(cls, var: Path, environment: Mapping[str, str]) -> Self:
        """From the running stack's address file; as who is signed in there; the environment wins.

        Raises:
            NoStack: No stack runs in `var`, and the environment names none.
            ApiError, Disconnected: Who is signed in needs a new token, and gets none.
        """
        found = variables(var, environment)
        if not environment.get("ECO2_TOKEN") and (url := found.get("ECO2_REST_URL")):
            found["ECO2_TOKEN"] = current_token(url, environment) or found.get("ECO2_TOKEN", "")
        return cls.of(found)


def variables(var: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The running stack's variables; the environment wins."""
    return {**running_stack(var), **environment}


def rest_url(var: Path, environment: Mapping[str, str]) -> str:
    """The running stack's edge, or the one that the environment names.

    Raises:
        NoStack: Neither is set.
    """
    return required(variables(var, environment), "ECO2_REST_URL")


def database_url(var: Path, environment: Mapping[str, str]) -> str:
    """The running stack's database, or the one that the environment names: itself, not a pooler in front of it.

    Raises:
        NoStack: Neither is set.
    """
    # Whoever names a database doesn't mean the stack's, of which no address may win then.
    found = dict(environment) if "ECO2_DATABASE_URL" in environment else variables(var, environment)
    return found.get("ECO2_DATABASE_LISTEN_URL") or required(found, "ECO2_DATABASE_URL")


def running_stack(var: Path) -> dict[str, str]:
    """The variables of the stack that runs in `var`; empty if none does.

    A supervisor that was killed leaves its address file behind, so the file alone proves nothing.

    Raises:
        Misuse: The address file isn't one.
        OSError: It can't be read.
    """
    try:
        found = read_env(var / ENV_FILE)
        supervisor = int(found["ECO2_SUPERVISOR"])
    except FileNotFoundError:
        return {}
    except (KeyError, ValueError):
        raise Misuse(f"{var / ENV_FILE} isn't a stack's address file") from None
    return found if _lives(supervisor) else {}


def required(variables: Mapping[str, str], name: str) -> str:
    """A variable's value.

    Raises:
        NoStack: It isn't set.
    """
    if not (value := variables.get(name)):
        signing_in = " Or sign in: eco2 login" if name == "ECO2_TOKEN" else ""
        raise NoStack(f"{name} is not set, and no stack runs here. Start one: eco2 up.{signing_in}")
    return value


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # as somebody else
        return True
    return True
