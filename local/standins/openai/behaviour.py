"""How the OpenAI stand-in treats one request."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from local.standins.openai.request import ModelRequest
from local.standins.openai.valid_output import valid_output


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What happens to one request. The default answers validly and at once.

    Attributes:
        say: What the model writes.
        status: HTTP status; from 400 on an error body is sent instead of an answer.
        code: The error's code, as OpenAI names them.
        retry_after: Value of the Retry-After header; None leaves it out.
        finish: Why the model stopped: "stop", "length" or "content_filter".
        refusal: What a refusing model says instead of content.
        first_byte_seconds: Silence before the first byte of the response.
        total_seconds: Time from the first byte to the last; streamed chunks are spread over it.
        chunks: In how many pieces a stream brings the content.
        stall_after: Chunks after which a stream falls silent for ever; a response that isn't streamed stalls likewise,
            after its first half.
        cut_after: Chunks after which the connection is dropped, or half of a response that isn't streamed.
    """

    say: Callable[[ModelRequest], str] = valid_output
    status: int = 200
    code: str = ""
    retry_after: float | None = None
    finish: str = "stop"
    refusal: str = ""
    first_byte_seconds: float = 0.0
    total_seconds: float = 0.0
    chunks: int = 8
    stall_after: int | None = None
    cut_after: int | None = None

    def paced(self, first_byte_seconds: float, total_seconds: float, chunks: int) -> Self:
        """The same at another pace."""
        return replace(self, first_byte_seconds=first_byte_seconds, total_seconds=total_seconds, chunks=chunks)


OBEDIENT = Behaviour()


def saying(text: str) -> Behaviour:
    """Writes exactly this."""
    return Behaviour(say=lambda _: text)


def changing(**fields: Any) -> Behaviour:
    """Writes a valid object with these fields of it replaced."""
    return Behaviour(
        say=lambda request: json.dumps({**json.loads(valid_output(request)), **fields}, ensure_ascii=False)
    )


def rate_limited(retry_after: float | None = None) -> Behaviour:
    """Too many requests, with or without Retry-After."""
    return Behaviour(status=429, code="rate_limit_exceeded", retry_after=retry_after)


def quota_spent() -> Behaviour:
    """The account has no money left, for which OpenAI also sends 429."""
    return Behaviour(status=429, code="insufficient_quota")


def failing(status: int = 500) -> Behaviour:
    """A fault of the server: 500, 503, 529 and the like."""
    return Behaviour(status=status, code="server_error")


def slow(seconds: float) -> Behaviour:
    """Waits before the first byte."""
    return Behaviour(first_byte_seconds=seconds)


def stalling(after: int = 2) -> Behaviour:
    """Begins a valid response, then sends nothing more, with the connection open."""
    return Behaviour(stall_after=after)


def cut(after: int = 2) -> Behaviour:
    """Begins a valid response and drops the connection."""
    return Behaviour(cut_after=after)


def refusing() -> Behaviour:
    """Declines, as a model does for reasons of safety."""
    return Behaviour(refusal="I'm sorry, but I can't help with that.")


def running_long() -> Behaviour:
    """Is stopped by the limit of output tokens, in the middle of its JSON."""
    return Behaviour(say=lambda request: valid_output(request)[:-10], finish="length")


def filtered() -> Behaviour:
    """Is stopped by the content filter, in the middle of its JSON."""
    return Behaviour(say=lambda request: valid_output(request)[:-10], finish="content_filter")


def babbling() -> Behaviour:
    """Writes prose where JSON was asked for."""
    return saying("Sure! Here is what I found: it is a can.")


def breaking_schema() -> Behaviour:
    """Writes JSON that lacks every field that was asked for."""
    return saying('{"surprise": true}')


def flooding(characters: int = 2_000_000) -> Behaviour:
    """Writes far more than anybody asked for."""
    return replace(saying('{"outcome": "' + "x" * characters + '"}'), chunks=64)
