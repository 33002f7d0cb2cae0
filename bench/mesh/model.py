"""The hosted model's stand-in as a process of its own, at a pace that can be changed while it runs.

The services call it through the real SDK. Run as a program it prints its address, reads one pace a line as JSON, or the
word `recorded`, and answers each with a line of its own.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psutil
import uvloop

from local.standins.openai.behaviour import Behaviour
from local.standins.openai.request import ModelRequest
from local.standins.openai.server import OpenAIStandIn, running

Recorded = Mapping[str, Mapping[str, Any]]

# The limits of an account with a provider are raised out of the way: it is our own system that is measured.
_ENVIRONMENT = {
    "OPENAI_API_KEY": "bench",
    "ECO2_MODEL_REQUESTS_PER_MINUTE": "1000000",
    "ECO2_MODEL_TOKENS_PER_MINUTE": "1000000000",
}
_RECORDED = "recorded"
_FIRST_WORD = 0.1  # share of an answer's time before its first word


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the model takes.

    Attributes:
        vision: Seconds for a classification, which comes whole.
        answer: Seconds for an answer, which is written bit by bit.
        pieces: In how many; 1 sends it whole after its time.
    """

    vision: float
    answer: float
    pieces: int = 1

    @property
    def seconds(self) -> float:
        """Of one scan: both calls."""
        return self.vision + self.answer

    def behaviour(self, request: ModelRequest) -> Behaviour:
        """How one request is treated."""
        if not request.streamed:
            return Behaviour(first_byte_seconds=self.vision)
        if self.pieces == 1:
            return Behaviour(first_byte_seconds=self.answer)
        first = self.answer * _FIRST_WORD
        return Behaviour(first_byte_seconds=first, total_seconds=self.answer - first, chunks=self.pieces)


@dataclass(frozen=True, slots=True)
class Model:
    """The running stand-in.

    Attributes:
        environment: What the services must be told to call it.
        process: Its process.
    """

    environment: Mapping[str, str]
    process: psutil.Process
    _pipe: "subprocess.Popen[str]"

    def set(self, pace: Pace) -> None:
        """Changes the pace, for requests from now on."""
        self._ask(json.dumps(asdict(pace)))

    def recorded(self) -> Recorded:
        """The newest request for a classification ("vision") and for an answer ("answer"), as they came."""
        recorded: Recorded = json.loads(self._ask(_RECORDED))
        return recorded

    def _ask(self, line: str) -> str:
        assert self._pipe.stdin is not None
        assert self._pipe.stdout is not None
        self._pipe.stdin.write(line + "\n")
        self._pipe.stdin.flush()
        return self._pipe.stdout.readline()


@contextmanager
def started() -> Iterator[Model]:
    """The stand-in, answering at once until it is told another pace."""
    command = [sys.executable, "-m", "bench.mesh.model"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        yield Model({"ECO2_OPENAI_BASE_URL": address, **_ENVIRONMENT}, psutil.Process(process.pid), process)
    finally:
        process.stdin.close()  # it ends with its input
        process.wait(10)
        process.stdout.close()


class _Paced(OpenAIStandIn):
    """Treats every request as the pace says."""

    pace = Pace(0, 0)

    def treatment(self, request: ModelRequest) -> Behaviour:
        """At the pace of the moment."""
        return self.pace.behaviour(request)


async def _serve() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    stand_in = _Paced(remembered=2)
    async with running(stand_in):
        print(stand_in.base_url, flush=True)
        async for line in lines:
            if line.decode().strip() == _RECORDED:
                kinds = {"answer" if one.streamed else "vision": one.body for one in stand_in.requests}
                print(json.dumps(kinds), flush=True)
            else:
                stand_in.pace = Pace(**json.loads(line))
                print("ok", flush=True)


if __name__ == "__main__":
    uvloop.run(_serve())
