"""Unicode's composed form (NFC) of a text."""

import unicodedata

# Combining marks in a row, as Unicode's stream-safe format allows them (UAX #15): no language needs more, and ordering
# them takes time that grows with the square of their number.
_MOST_MARKS = 30


def composed(text: str) -> str:
    """A text in NFC; as it is when it is none: with more than 30 combining marks in a row."""
    if text.isascii() or unicodedata.is_normalized("NFC", text) or not _is_stream_safe(text):
        return text
    return unicodedata.normalize("NFC", text)


def _is_stream_safe(text: str) -> bool:
    marks = 0
    for each in text:
        marks = marks + 1 if unicodedata.combining(each) else 0
        if marks > _MOST_MARKS:
            return False
    return True
