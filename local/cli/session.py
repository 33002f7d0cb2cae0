"""Which stack the command line uses, and as which user."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc

from local.cli.account.signed_in import current_token
from local.errors import Misuse
from local.files import ENV_FILE, read_env
from mesh.grpc.certificates import CertificateFiles, channel_credentials, expecting
from mesh.settings import TlsFiles

_SCAN = "eco2.scan.v1.ScanService"


class NoStack(Exception):
    """No stack is running; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Session:
    """Addresses and a token.

    Attributes:
        rest_url: The edge, for REST.
        grpc_target: The edge, for gRPC.
        token: The user's bearer token.
    """

    rest_url: str
    grpc_target: str
    token: str

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """From the variables of an address file.

        Raises:
            NoStack: One is missing.
            Misuse: The token isn't valid.
        """
        session = cls(
            rest_url=_set(variables, "ECO2_REST_URL"),
            grpc_target=_set(variables, "ECO2_GRPC_TARGET"),
            token=_set(variables, "ECO2_TOKEN"),
        )
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
    return _set(variables(var, environment), "ECO2_REST_URL")


def database_url(var: Path, environment: Mapping[str, str]) -> str:
    """The running stack's database, or the one that the environment names.

    Raises:
        NoStack: Neither is set.
    """
    return _set(variables(var, environment), "ECO2_DATABASE_URL")


def scan_channel(var: Path, environment: Mapping[str, str]) -> grpc.Channel:
    """A channel to the running stack's Scan, or to the one that the environment names: all that operations take.

    By mutual TLS if there is a certificate, which must be an operator's.

    Raises:
        NoStack: There is neither.
        Misconfigured: The certificate can't be used.
    """
    found = variables(var, environment)
    target, tls = _set(found, "ECO2_SCAN_TARGET"), TlsFiles.given(found)
    if tls is None:
        return grpc.insecure_channel(target)
    return grpc.secure_channel(target, channel_credentials(CertificateFiles(tls).current()), expecting(_SCAN))


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


def _set(variables: Mapping[str, str], name: str) -> str:
    if not (value := variables.get(name)):
        raise NoStack(f"{name} is not set, and no stack runs here. Start one: eco2 up")
    return value


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # as somebody else
        return True
    return True
