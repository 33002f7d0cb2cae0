"""The sentences of a JSON object's texts, while the object is still being written."""

import json
import re
from collections.abc import Iterator, Sequence

from mesh.validation.normalization import composed

_TEXT = re.compile(r'(?:[^"\\]|\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))*')
# Limits, in characters, of the JSON and of one sentence: each new piece parses all that has arrived again.
_MOST_JSON = 16_000
_MOST_OPEN = 2_000
_read_json = json.JSONDecoder(strict=False).decode
_SENTENCE = re.compile(r".*?(?:[.!?。](?=\s)|\n)\s*", re.DOTALL)


class JsonTextStream:
    """Finds sentences in JSON that comes in pieces.

    Args:
        fields: The string fields to read, in the order they are written in.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = [(field, re.compile(rf'"{field}"\s*:\s*"')) for field in fields]
        self._json = ""
        self._at: int | None = None
        self._open = ""

    def feed(self, piece: str) -> Iterator[tuple[str, str, bool]]:
        """The sentences that are complete now: field, sentence, and whether it is the field's last."""
        self._json += piece
        if len(self._json) > _MOST_JSON or len(self._open) > _MOST_OPEN:
            self._fields.clear()  # not valid in an answer
        while self._fields:
            field, beginning = self._fields[0]
            if self._at is None:
                begun = beginning.search(self._json)
                if begun is None:
                    return
                self._at = begun.end()
            text = _TEXT.match(self._json, self._at)
            assert text is not None  # always matches, if need be with nothing
            ended = self._json[text.end() : text.end() + 1] == '"'
            self._open += _decoded(text.group())
            self._at = text.end()
            yield from self._sentences(field, ended)
            if not ended:
                return
            self._fields.pop(0)
            self._at = None

    def _sentences(self, field: str, ended: bool) -> Iterator[tuple[str, str, bool]]:
        while sentence := _SENTENCE.match(self._open):
            self._open = self._open[sentence.end() :]
            yield field, composed(sentence.group()), ended and not self._open
            if not self._open:
                return
        if ended:
            yield field, composed(self._open), True
            self._open = ""


def _decoded(escaped: str) -> str:
    """The text behind JSON's escapes; a half of a surrogate pair, cut by the stream, is dropped from the draft."""
    if "\\" not in escaped:
        return escaped
    text: str = _read_json(f'"{escaped}"')
    return text.encode("utf-8", "ignore").decode("utf-8")
