"""OpenAI's chat completions, as far as they are read.

Spoken rather than the responses API since every compatible server knows it; and read with msgspec rather than the SDK's
own types, which cost three times the CPU for a photo and ten times for a stream of sixty chunks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mesh.models.prices import Tokens

_CHARACTERS_A_TOKEN = 2.0  # Korean needs about one token for two characters, English one for four


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked.

    Attributes:
        messages: In OpenAI's form.
        name: Of the output's schema.
        schema: Of the output, in the subset that strict mode knows.
        most_tokens: That it may write.
        characters: Of text in messages and schema, for the estimate.
        images: In the messages.
    """

    messages: Sequence[Mapping[str, Any]]
    name: str
    schema: msgspec.Raw
    most_tokens: int
    characters: int
    images: int = 0

    def body(self, model: str, parameters: Mapping[str, Any], *, streamed: bool) -> bytes:
        """The request as JSON."""
        schema = {"name": self.name, "strict": True, "schema": self.schema}
        body: dict[str, Any] = {
            "model": model,
            "messages": self.messages,
            "response_format": {"type": "json_schema", "json_schema": schema},
            "max_completion_tokens": self.most_tokens,
            **parameters,
        }
        if streamed:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return msgspec.json.encode(body)

    def estimate(self, image_tokens: int, written: int | None = None) -> Tokens:
        """What it will use, or with `written` characters has used, at most."""
        read = round(self.characters / _CHARACTERS_A_TOKEN) + self.images * image_tokens
        return Tokens(read, self.most_tokens if written is None else round(written / _CHARACTERS_A_TOKEN))


class _Cached(msgspec.Struct):
    cached_tokens: int | None = 0


class Counts(msgspec.Struct):
    """Tokens, as the provider counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Cached | None = None

    def tokens(self) -> Tokens:
        """In our own words."""
        cached = self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else 0
        return Tokens(self.prompt_tokens, self.completion_tokens, cached or 0)


class Message(msgspec.Struct, frozen=True):
    """What the model said, or a piece of it."""

    content: str | None = None
    refusal: str | None = None


_NOTHING = Message()


class Choice(msgspec.Struct):
    """The one answer that is asked for."""

    message: Message = _NOTHING
    finish_reason: str | None = None


class Reply(msgspec.Struct):
    """A completion."""

    model: str = ""
    choices: list[Choice] = []
    usage: Counts | None = None


class PieceOfChoice(msgspec.Struct):
    """What is new of the one answer."""

    delta: Message = _NOTHING
    finish_reason: str | None = None


class Event(msgspec.Struct):
    """A chunk of a completion that is streamed."""

    model: str = ""
    choices: list[PieceOfChoice] = []
    usage: Counts | None = None


read_reply = msgspec.json.Decoder(Reply).decode
_read_events = msgspec.json.Decoder(list[Event]).decode


class Streamed:
    """A completion that is streamed, as far as it has come.

    Attributes:
        length: Of the text so far, in characters.
        finish: Why it ended; None before.
        refusal: What a refusing model says instead.
        model: The snapshot that writes it.
        usage: What was used; comes with the last message.
    """

    def __init__(self) -> None:
        self.length = 0
        self.finish: str | None = None
        self.refusal: str | None = None
        self.model = ""
        self.usage: Counts | None = None
        self._pieces: list[str] = []
        self._unread = b""

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    def feed(self, data: bytes) -> str:
        """The text in the next bytes; the events in them are decoded together.

        Raises:
            msgspec.DecodeError: One isn't what it should be.
        """
        stream = self._unread + data
        if b"\r" in stream:
            stream = stream.replace(b"\r\n", b"\n")
        whole, _, self._unread = stream.rpartition(b"\n\n")
        lines = [line[5:] for line in whole.split(b"\n") if line.startswith(b"data:") and not line.endswith(b"[DONE]")]
        known = len(self._pieces)
        for event in _read_events(b"[%b]" % b",".join(lines)):
            self._take(event)
        new = "".join(self._pieces[known:])
        self.length += len(new)
        return new

    def _take(self, event: Event) -> None:
        self.model = event.model or self.model
        self.usage = event.usage or self.usage
        for choice in event.choices:
            self.finish = choice.finish_reason or self.finish
            self.refusal = choice.delta.refusal or self.refusal
            if choice.delta.content:
                self._pieces.append(choice.delta.content)
