"""Somebody to sign in with on one's own machine: a provider on loopback that knows one demo user.

Only this module tells Auth of it, by a file in the stack's folder: what is installed elsewhere has no such provider.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2

from local.files import write_private
from local.stack.ports import HOST
from local.stack.supervisor import Program

_ID = "demo"
_CLIENT_ID = "eco2"
_FILE = "providers.yaml"


def program(port: int, secret: str, redirects: Sequence[str]) -> Program:
    """The provider, at a port of loopback.

    Args:
        port: Where it listens.
        secret: Auth's there.
        redirects: Where people may be sent back to.
    """
    client = {"client_id": _CLIENT_ID, "client_secret": secret, "redirect_uris": redirects}

    async def ready() -> None:
        async with httpx2.AsyncClient(timeout=2.0, verify=False, trust_env=False) as http:
            (await http.get(f"{_issuer(port)}/.well-known/openid-configuration")).raise_for_status()

    return Program(
        name="demo-provider",
        command=[sys.executable, "-m", "local.standins.demo_provider"],
        environment={"OIDC_PORT": str(port), "OIDC_CLIENTS": json.dumps([client])},
        ready=ready,
    )


def environment(var: Path, port: int, secret: str) -> Mapping[str, str]:
    """What Auth has to know of the provider: a file that describes it, and Auth's own name there.

    Args:
        var: The stack's folder, where the file goes.
        port: Where the provider listens.
        secret: Auth's there.
    """
    described = {
        "name": {"ko": "로컬 데모", "en": "Local demo"},
        "authorization_endpoint": f"{_issuer(port)}/authorize",
        "token_endpoint": f"{_issuer(port)}/token",
        "scopes": ["openid", "profile"],
        "issuer": _issuer(port),
        "jwks_uri": f"{_issuer(port)}/jwks",
    }
    write_private(var / _FILE, json.dumps({_ID: described}, ensure_ascii=False, indent=1))  # JSON is YAML
    clients = {_ID: {"id": _CLIENT_ID, "secret": secret}}
    return {"ECO2_AUTH_PROVIDERS": str(var / _FILE), "ECO2_AUTH_CLIENTS": json.dumps(clients)}


def _issuer(port: int) -> str:
    return f"http://{HOST}:{port}"
