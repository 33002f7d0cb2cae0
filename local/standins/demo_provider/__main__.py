"""Runs the provider until it is stopped: `python -m local.standins.demo_provider`, as the embedded stack does.

In its environment, as panva's oidc-provider has it here: OIDC_PORT, and OIDC_CLIENTS, a JSON list of its one client.
"""

import asyncio
import contextlib
import os

import msgspec

from local.standins.demo_provider.server import RegisteredClient, running


async def _serve() -> None:
    (client,) = msgspec.json.decode(os.environ["OIDC_CLIENTS"], type=list[RegisteredClient])
    async with running(int(os.environ["OIDC_PORT"]), client):
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve())
