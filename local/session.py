"""Which stack the command line talks to, and as whom."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local.files import read_env
from local.stack import ENV_FILE


class NoStack(Exception):
    """There is nothing to talk to; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Session:
    """Addresses and a token.

    Attributes:
        rest_url: The edge, for REST.
        grpc_target: The edge, for gRPC.
        scan_target: Scan itself, for operations.
        token: The user's bearer token.
    """

    rest_url: str
    grpc_target: str
    scan_target: str
    token: str

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """From the variables of an address file.

        Raises:
            NoStack: One is missing.
        """
        try:
            return cls(
                rest_url=variables["ECO2_REST_URL"],
                grpc_target=variables["ECO2_GRPC_TARGET"],
                scan_target=variables["ECO2_SCAN_TARGET"],
                token=variables["ECO2_TOKEN"],
            )
        except KeyError as missing:
            raise NoStack(f"{missing.args[0]} is not set, and no stack runs here. Start one: eco2 up") from None

    @classmethod
    def find(cls, var: Path, environment: Mapping[str, str]) -> Self:
        """From the running stack's address file; what stands in the environment wins.

        Raises:
            NoStack: No stack runs in `var`, and the environment names none.
        """
        return cls.of(variables(var, environment))


def variables(var: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The running stack's variables; what stands in the environment wins."""
    return {**standing(var), **environment}


def standing(var: Path) -> dict[str, str]:
    """The variables of the stack that runs in `var`; empty if none does.

    A supervisor that was killed leaves its address file behind, so the file alone proves nothing.
    """
    try:
        found = read_env(var / ENV_FILE)
        os.kill(int(found["ECO2_SUPERVISOR"]), 0)
    except PermissionError:  # it lives, as somebody else
        return found
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return found
