# Written by `make gen` from _async/. Don't edit it.
"""The API as a signed-in user calls it."""

from dataclasses import dataclass
from typing import TypeVar

from eco2_client._sync.http import Http, Tokens
from eco2_client.requests import Request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Api:
    """An address and a user.

    Attributes:
        http: The address.
        tokens: The user's.
    """

    http: Http
    tokens: Tokens

    def call(self, request: Request[T], timeout: float | None = None) -> T:
        """Makes a call as the user."""
        return self.http.call(request, self.tokens, timeout)
