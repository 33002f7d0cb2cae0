"""The server, on aiohttp.

It serves `POST /v1/chat/completions` and `POST /v1/responses`, whole or streamed, and treats each request as a script
says, or at a set pace. It doesn't look at photos: its answers come from the schema and the prompt.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import msgspec
from aiohttp import web

from local.standins.openai import wire
from local.standins.openai.behaviour import OBEDIENT, Behaviour
from local.standins.openai.request import ModelRequest

_MOST_BYTES = 32 << 20
_REMEMBERED = 1000


class OpenAIStandIn:
    """Answers as scripted. Start it with `running`.

    Args:
        usual: What happens to a request when the script is at its end.
        remembered: How many requests it keeps.

    Attributes:
        requests: What was asked, latest last.
        count: How many requests there were.
        base_url: What to set as ECO2_OPENAI_BASE_URL.
    """

    def __init__(self, usual: Behaviour = OBEDIENT, *, remembered: int = _REMEMBERED) -> None:
        self.usual = usual
        self.requests: deque[ModelRequest] = deque(maxlen=remembered)
        self.count = 0
        self.base_url = ""
        self._script: deque[Behaviour] = deque()
        self._arrived = asyncio.Condition()

    def script(self, *behaviours: Behaviour) -> None:
        """What happens to the next requests, one each."""
        self._script.extend(behaviours)

    async def arrived(self, count: int) -> None:
        """Waits until so many requests have come in, all told."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.count >= count)

    def treatment(self, request: ModelRequest) -> Behaviour:
        """What happens to a request: what the script says next, else what is usual."""
        return self._script.popleft() if self._script else self.usual

    async def answer(self, http: web.Request) -> web.StreamResponse:
        """Treats one request."""
        try:
            request = ModelRequest(http.path, await http.read())
        except msgspec.DecodeError:
            bad = Behaviour(status=400, code="invalid_request_error")
            return web.Response(status=400, body=wire.error(bad), content_type="application/json")
        behaviour = self.treatment(request)
        self.requests.append(request)
        self.count += 1
        async with self._arrived:
            self._arrived.notify_all()
        if behaviour.first_byte_seconds:
            await asyncio.sleep(behaviour.first_byte_seconds)
        headers = self._headers(behaviour)
        if behaviour.status >= 400:
            body = wire.error(behaviour)
            return web.Response(status=behaviour.status, body=body, headers=headers, content_type="application/json")
        output = wire.Output(request, behaviour.refusal or behaviour.say(request), behaviour)
        return await (_stream(http, output, headers) if request.streamed else _whole(http, output, headers))

    def _headers(self, behaviour: Behaviour) -> dict[str, str]:
        headers = {
            "x-request-id": f"req_{self.count:032x}",
            "openai-processing-ms": str(round(behaviour.total_seconds * 1000)),
            "x-ratelimit-limit-requests": "10000",
            "x-ratelimit-limit-tokens": "2000000",
            "x-ratelimit-remaining-requests": "0" if behaviour.status == 429 else "9999",
            "x-ratelimit-remaining-tokens": "1990000",
            "x-ratelimit-reset-requests": "6ms",
            "x-ratelimit-reset-tokens": "0s",
        }
        if behaviour.retry_after is not None:
            headers["retry-after"] = f"{behaviour.retry_after:g}"
        return headers


async def _whole(http: web.Request, output: wire.Output, headers: dict[str, str]) -> web.StreamResponse:
    behaviour = output.behaviour
    if behaviour.total_seconds:
        await asyncio.sleep(behaviour.total_seconds)
    body = wire.whole(output)
    if behaviour.stall_after is None and behaviour.cut_after is None:
        return web.Response(body=body, headers=headers, content_type="application/json")
    response = web.StreamResponse(headers={**headers, "content-type": "application/json"})
    response.content_length = len(body)
    await response.prepare(http)
    await response.write(body[: len(body) // 2])
    return await _break_off(http, response, behaviour)


async def _stream(http: web.Request, output: wire.Output, headers: dict[str, str]) -> web.StreamResponse:
    behaviour = output.behaviour
    response = web.StreamResponse(headers={**headers, "content-type": "text/event-stream; charset=utf-8"})
    await response.prepare(http)
    if not behaviour.total_seconds and behaviour.stall_after is None and behaviour.cut_after is None:
        # Without a pace there is nothing to wait for: one write costs a fraction of many.
        await response.write(b"".join(event for event, _ in wire.events(output)))
        return response
    pause, sent = behaviour.total_seconds / behaviour.chunks, 0
    clock = asyncio.get_running_loop().time
    began = clock()
    for event, is_content in wire.events(output):
        if is_content:
            if sent in (behaviour.stall_after, behaviour.cut_after):
                return await _break_off(http, response, behaviour)
            sent += 1
            # By the clock: many small sleeps would add up to more than the model's time.
            await asyncio.sleep(began + sent * pause - clock())
        await response.write(event)
    return response


async def _break_off(http: web.Request, response: web.StreamResponse, behaviour: Behaviour) -> web.StreamResponse:
    """Sends nothing more: for ever, or by dropping the connection."""
    if behaviour.cut_after is None:
        await asyncio.Event().wait()  # until the client gives up
    if http.transport is not None:
        http.transport.abort()
    return response


@asynccontextmanager
async def running(
    stand_in: OpenAIStandIn | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[OpenAIStandIn]:
    """The stand-in, listening until the block is left.

    Args:
        stand_in: With a script or a pace of its own; by default a valid answer to each request.
        host: Address to listen on.
        port: Port; 0 takes any free one.
    """
    stand_in = stand_in or OpenAIStandIn()
    application = web.Application(client_max_size=_MOST_BYTES)
    application.router.add_post("/v1/chat/completions", stand_in.answer)
    application.router.add_post("/v1/responses", stand_in.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        bound = cast(tuple[str, int], runner.addresses[0])
        stand_in.base_url = f"http://{bound[0]}:{bound[1]}/v1"
        yield stand_in
    finally:
        await runner.cleanup()
