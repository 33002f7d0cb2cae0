"""OpenAI's two wire formats: chat completions and responses, whole and as server-sent events."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from local.standins.openai.behaviour import Behaviour
from local.standins.openai.request import ModelRequest

SNAPSHOT = "-2026-01-15"
"""Suffix of the model's name in responses: OpenAI names the snapshot."""

_ids = count(1)
_CHARACTERS_A_TOKEN = 3
_IMAGE_TOKENS = 1100


@dataclass(frozen=True, slots=True)
class Output:
    """The model's output to a request.

    Attributes:
        request: To what.
        text: Its words; those of the refusal if it refused.
        behaviour: How it ends.
    """

    request: ModelRequest
    text: str
    behaviour: Behaviour

    @property
    def pieces(self) -> Sequence[str]:
        """The text in as many pieces as the behaviour wants, each at least one character."""
        size = max(1, -(-len(self.text) // self.behaviour.chunks))
        return [self.text[start : start + size] for start in range(0, len(self.text), size)]

    @property
    def model(self) -> str:
        """The snapshot's name."""
        return self.request.model + SNAPSHOT

    @property
    def tokens(self) -> tuple[int, int]:
        """Read and written. A photo counts as a photo of 1,024 px."""
        schema = len(self.request.schema) // _CHARACTERS_A_TOKEN
        return _IMAGE_TOKENS + schema, max(1, len(self.text) // _CHARACTERS_A_TOKEN)


def error(behaviour: Behaviour) -> bytes:
    """The body of a failure."""
    message = "Rate limit reached for requests" if behaviour.status == 429 else "The server had an error"
    kind = {429: "requests", 529: "overloaded_error"}.get(behaviour.status, "server_error")
    if behaviour.code == "insufficient_quota":
        message, kind = "You exceeded your current quota", "insufficient_quota"
    return _json({"error": {"message": message, "type": kind, "param": None, "code": behaviour.code or None}})


def whole(output: Output) -> bytes:
    """The whole answer as one body."""
    return _json(_completion(output) if _is_chat(output) else _response(output))


def events(output: Output) -> Iterator[tuple[bytes, bool]]:
    """The answer as server-sent events; with each, whether it carries a piece of content."""
    yield from _chat_events(output) if _is_chat(output) else _response_events(output)


def _is_chat(output: Output) -> bool:
    return output.request.path.endswith("completions")


def _completion(output: Output) -> dict[str, Any]:
    refused = bool(output.behaviour.refusal)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused else output.text,
        "refusal": output.text if refused else None,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": output.behaviour.finish}
    return {**_chat_head(output, "chat.completion"), "choices": [choice], "usage": _chat_usage(output)}


def _chat_head(output: Output, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{next(_ids):024d}",
        "object": kind,
        "created": int(time.time()),
        "model": output.model,
        "service_tier": "default",
        "system_fingerprint": "fp_standin",
    }


def _chat_usage(output: Output) -> dict[str, Any]:
    read, written = output.tokens
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _chat_events(output: Output) -> Iterator[tuple[bytes, bool]]:
    head = _json(_chat_head(output, "chat.completion.chunk"))[:-1]
    usage = b',"usage":null' if output.request.wants_usage else b""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = _json({"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish})
        return b'data: %b,"choices":[%b]%b}\n\n' % (head, choice, usage)

    key = "refusal" if output.behaviour.refusal else "content"
    yield chunk({"role": "assistant", "content": "", "refusal": None}), False
    for piece in output.pieces:
        yield chunk({key: piece}), True
    yield chunk({}, output.behaviour.finish), False
    if output.request.wants_usage:
        yield b'data: %b,"choices":[],"usage":%b}\n\n' % (head, _json(_chat_usage(output))), False
    yield b"data: [DONE]\n\n", False


def _response(output: Output) -> dict[str, Any]:
    finish = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(output.behaviour.finish)
    status = "incomplete" if finish else "completed"
    return {
        **_response_head(output),
        "status": status,
        "incomplete_details": {"reason": finish} if finish else None,
        "output": [_message(output, status)],
        "usage": _response_usage(output),
    }


def _response_head(output: Output) -> dict[str, Any]:
    return {
        "id": f"resp_{next(_ids):032x}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": output.model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "metadata": {},
        "usage": None,
    }


def _message(output: Output, status: str) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [_part(output, output.text)],
    }


def _part(output: Output, text: str) -> dict[str, Any]:
    if output.behaviour.refusal:
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _response_usage(output: Output) -> dict[str, Any]:
    read, written = output.tokens
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }


def _response_events(output: Output) -> Iterator[tuple[bytes, bool]]:
    numbers = count()

    def event(kind: str, **fields: Any) -> bytes:
        body = {"type": kind, "sequence_number": next(numbers), **fields}
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), _json(body))

    end = _response(output)
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    kind, text = ("refusal", "refusal") if output.behaviour.refusal else ("output_text", "text")
    head = {**_response_head(output), "id": end["id"]}
    item = {**_message(output, "in_progress"), "content": []}
    more: dict[str, Any] = {} if output.behaviour.refusal else {"logprobs": []}
    yield event("response.created", response=head), False
    yield event("response.in_progress", response=head), False
    yield event("response.output_item.added", output_index=0, item=item), False
    yield event("response.content_part.added", **where, part=_part(output, "")), False
    for piece in output.pieces:
        yield event(f"response.{kind}.delta", **where, delta=piece, **more), True
    yield event(f"response.{kind}.done", **where, **{text: output.text}, **more), False
    yield event("response.content_part.done", **where, part=_part(output, output.text)), False
    yield event("response.output_item.done", output_index=0, item=end["output"][0]), False
    yield event(f"response.{end['status']}", response=end), False


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
