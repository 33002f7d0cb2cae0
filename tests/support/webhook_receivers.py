"""Receivers of webhooks that answer what a test says, behind a client's transport."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx2

HOST = "hook.example.com"


def answers(*statuses: int, **headers: str) -> list[Any]:
    """Answers with these statuses and the same headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [httpx2.Response(status, headers=named) for status in statuses]


class Receivers:
    """Whoever listens behind the addresses: answers by host, in order, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[httpx2.Response | Callable[[], Any]]] = {HOST: answers(200)}
        self.received: dict[str, list[httpx2.Request]] = defaultdict(list)

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        host = request.headers["host"]
        await request.aread()
        self.received[host].append(request)
        script = self.answers[host]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, httpx2.Response):
            return httpx2.Response(answer.status_code, headers=answer.headers)
        response: httpx2.Response = await answer()
        return response
