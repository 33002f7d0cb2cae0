"""A hosted model of which every paid call counts."""

import asyncio

from aiohttp import web

from local.standins.openai.server import OpenAIStandIn


class PaidModel(OpenAIStandIn):
    """Answers the first calls, and holds all others until it goes on. Those that hang up meanwhile cost nothing.

    Args:
        answered_first: How many it answers at once.

    Attributes:
        begun: How many calls arrived.
        looks: How many photos were looked at, and paid.
        answers: How many answers were written, and paid.
        hung_up: How many calls were given up while they were held.
        going: Whether calls are answered.
    """

    def __init__(self, answered_first: int) -> None:
        super().__init__()
        self._answered_first = answered_first
        self.begun = self.looks = self.answers = self.hung_up = 0
        self.going = asyncio.Event()

    @property
    def settled(self) -> int:
        """How many calls don't wait any more."""
        return self.looks + self.answers + self.hung_up

    async def answer(self, http: web.Request) -> web.StreamResponse:
        """Treats one request."""
        self.begun += 1
        if self.begun > self._answered_first:
            try:
                await self.going.wait()
            except asyncio.CancelledError:
                self.hung_up += 1
                raise
        response = await super().answer(http)
        is_look = response.content_type == "application/json"  # answers are streamed
        self.looks += is_look
        self.answers += not is_look
        return response
