"""A request to a hosted model, in either of OpenAI's formats."""

from functools import cached_property
from typing import Any

import msgspec


class _ChatSchema(msgspec.Struct):
    schema: msgspec.Raw = msgspec.Raw(b"{}")


class _Format(msgspec.Struct):
    """Chat completions nest the schema; responses have it flat."""

    json_schema: _ChatSchema | None = None
    schema: msgspec.Raw = msgspec.Raw(b"{}")


class _Text(msgspec.Struct):
    format: _Format | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Body(msgspec.Struct):
    model: str
    stream: bool = False
    stream_options: _StreamOptions | None = None
    messages: msgspec.Raw = msgspec.Raw(b"[]")
    input: msgspec.Raw = msgspec.Raw(b"[]")
    response_format: _Format | None = None
    text: _Text | None = None


_decode = msgspec.json.Decoder(_Body).decode


class ModelRequest:
    """One request, parsed lazily, since photos are long.

    Args:
        path: Such as "/v1/chat/completions".
        content: The body.

    Attributes:
        path: As given.
        size: Of the body, in bytes.
        model: The model asked for.
        streamed: Whether the answer is to be streamed.
        wants_usage: Whether a stream of chat completions ends with the usage.
        schema: The JSON schema of the output, as it came; `{}` when there is none.
        content: The body, as given.
    """

    def __init__(self, path: str, content: bytes) -> None:
        body = _decode(content)
        self.path = path
        self.size = len(content)
        self.model = body.model
        self.streamed = body.stream
        self.wants_usage = bool(body.stream_options and body.stream_options.include_usage)
        self.schema = bytes(_schema(body))
        self.content = content
        self._messages = body.messages if path.endswith("completions") else body.input

    @cached_property
    def body(self) -> dict[str, Any]:
        """The whole body."""
        decoded: dict[str, Any] = msgspec.json.decode(self.content)
        return decoded

    @cached_property
    def texts(self) -> list[tuple[str, str]]:
        """Role and text of every part of every message."""
        messages: Any = msgspec.json.decode(self._messages)
        if isinstance(messages, str):
            return [("user", messages)]
        return [
            (message["role"], part if isinstance(part, str) else part.get("text", ""))
            for message in messages
            for part in ([message["content"]] if isinstance(message["content"], str) else message["content"])
        ]


def _schema(body: _Body) -> msgspec.Raw:
    if body.response_format and body.response_format.json_schema:
        return body.response_format.json_schema.schema
    if body.text and body.text.format:
        return body.text.format.schema
    return msgspec.Raw(b"{}")
