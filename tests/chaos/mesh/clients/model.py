"""The hosted model under chaos: it writes down whom it was asked about, and answers some calls with rubbish.

python -m tests.chaos.mesh.clients.model FOLDER PORT SEED
"""

import asyncio
import base64
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web

from local.standins.openai import behaviour
from local.standins.openai.behaviour import Behaviour
from local.standins.openai.request import ModelRequest
from local.standins.openai.server import OpenAIStandIn, running
from tests.chaos.mesh.clients import photos
from tests.support.scan.journal import Journal

# Share of calls that get rubbish. The file is there while the plan wants more of it.
_USUAL_RUBBISH = 0.08
_MORE_RUBBISH = 0.7
RUBBISH_FILE = "rubbish"

# What a client writes beside its photo, so that the model knows whose answer it is writing.
MARK = "#"
_MARKED = re.compile(rf"{MARK}(\d+)")
# Where all who are asked live: an answer for a region follows a reply.
REGION = "마포구"

_RUBBISH: tuple[Callable[[], Behaviour], ...] = (
    lambda: behaviour.rate_limited(1.0),
    behaviour.failing,
    lambda: behaviour.failing(503),
    behaviour.cut,
    behaviour.stalling,
    behaviour.refusing,
    behaviour.running_long,
    behaviour.filtered,
    behaviour.babbling,
    behaviour.breaking_schema,
    behaviour.flooding,
    lambda: behaviour.saying(""),
    lambda: behaviour.saying("\x00\ud7ff{"),
)


class JournallingModel(OpenAIStandIn):
    """Answers within half a second, or badly.

    Args:
        folder: Where its journal goes, and where the plan leaves its word.
        seed: Decides how each call is treated.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(remembered=0)
        self._folder = folder
        self._seed = seed
        self._journal = Journal(folder)
        self._asked: Counter[tuple[str, str]] = Counter()
        self._good: dict[asyncio.Task[object] | None, tuple[str, str, float]] = {}

    def treatment(self, request: ModelRequest) -> Behaviour:
        """The same for the same call of the same run, as long as this process lives."""
        subject, stage = _subject(request)
        began = self._journal.started(subject, stage)
        self._asked[subject, stage] += 1
        chance = random.Random(f"{self._seed} {subject} {stage} {self._asked[subject, stage]}")
        seconds = chance.uniform(0.05, 0.5)
        share = _MORE_RUBBISH if (self._folder / RUBBISH_FILE).exists() else _USUAL_RUBBISH
        if chance.random() < share:
            return chance.choice(_RUBBISH)()
        self._good[asyncio.current_task()] = subject, stage, began
        return behaviour.OBEDIENT.paced(seconds / 2, seconds / 2, 8)

    async def answer(self, http: web.Request) -> web.StreamResponse:
        """Treats one request, and writes down when a good answer was complete: that one is paid for and usable."""
        try:
            response = await super().answer(http)
            if good := self._good.get(asyncio.current_task()):
                self._journal.paid(*good)
        finally:
            self._good.pop(asyncio.current_task(), None)
        return response


def _subject(request: ModelRequest) -> tuple[str, str]:
    """Which photo's number the request is about, and for which stage; "" if nobody can tell."""
    for part in _parts(request):
        if url := part.get("image_url"):
            address: str = url if isinstance(url, str) else url["url"]
            return str(photos.number_of(base64.b64decode(address.partition(",")[2]))), "vision"
    text = "".join(text for _, text in request.texts)
    marked = _MARKED.search(text)
    return marked.group(1) if marked else "", "reply" if REGION in text else "answer"


def _parts(request: ModelRequest) -> list[dict[str, Any]]:
    messages = request.body.get("messages") or request.body.get("input") or []
    contents = [message.get("content") for message in messages if isinstance(message, dict)]
    return [part for content in contents if isinstance(content, list) for part in content]


async def _serve(folder: Path, port: int, seed: int) -> None:
    async with running(JournallingModel(folder, seed), port=port) as model:
        print(json.dumps({"serving": model.base_url}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
