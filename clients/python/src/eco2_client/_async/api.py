"""The API as a signed-in user calls it."""

from dataclasses import dataclass
from typing import TypeVar

from eco2_client._async.http import AsyncHttp, AsyncTokens
from eco2_client.requests import Request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AsyncApi:
    """An address and a user.

    Attributes:
        http: The address.
        tokens: The user's.
    """

    http: AsyncHttp
    tokens: AsyncTokens

    async def call(self, request: Request[T], timeout: float | None = None) -> T:
        """Makes a call as the user."""
        return await self.http.call(request, self.tokens, timeout)
