"""Runs the provider until it is stopped: `python -m local.standins.demo_provider`, as the embedded stack does.

In its environment, as panva's oidc-provider has it here: OIDC_PORT, and OIDC_CLIENTS, a JSON list of its one client.
"""

import asyncio
import contextlib
import os

import msgspec

from local.standins.demo_provider.server import RegisteredClient, running
from mesh.settings import end_misused


async def _serve(port: int, client: RegisteredClient) -> None:
    async with running(port, client):
        await asyncio.Event().wait()


def _settings() -> tuple[int, RegisteredClient]:
    """Its port and its client, from the environment; ends the process with status 2 if they can't be used."""
    if missing := [name for name in ("OIDC_PORT", "OIDC_CLIENTS") if not os.environ.get(name)]:
        end_misused(*(f"{name} is not set" for name in missing))
    try:
        (client,) = msgspec.json.decode(os.environ["OIDC_CLIENTS"], type=list[RegisteredClient])
        return int(os.environ["OIDC_PORT"]), client
    except (msgspec.DecodeError, ValueError):
        end_misused("OIDC_PORT: a number; OIDC_CLIENTS: a JSON list of one client")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(*_settings()))
