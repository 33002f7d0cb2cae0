"""Runs the server: `python -m local.standins.openai --port 9000` prints its address and serves until it is stopped."""

import argparse
import asyncio
import contextlib

import uvloop

from local.standins.openai.behaviour import OBEDIENT
from local.standins.openai.server import OpenAIStandIn, running


async def _serve(arguments: argparse.Namespace) -> None:
    pace = OBEDIENT.paced(arguments.first_byte, arguments.total, arguments.chunks)
    async with running(OpenAIStandIn(pace, remembered=0), host=arguments.host, port=arguments.port) as stand_in:
        print(stand_in.base_url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m local.standins.openai", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one; the address is printed")
    parser.add_argument("--first-byte", type=float, default=0.0, help="seconds before the first byte")
    parser.add_argument("--total", type=float, default=0.0, help="seconds from the first byte to the last")
    parser.add_argument("--chunks", type=int, default=60, help="pieces of a streamed answer")
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
