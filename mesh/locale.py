"""The two languages everything a user reads exists in."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

_SUBTAG = re.compile(r"[-_]")
_REFUSED = re.compile(r"q=0(\.0*)?")


class Locale(StrEnum):
    """A language of the product."""

    KO = "ko"
    EN = "en"

    @staticmethod
    def parse(text: str) -> "Locale":
        """The first language of an Accept-Language header or a BCP 47 tag that we speak; Korean if none.

        Weights are ignored, since clients list their languages in order of preference; only q=0 says "not this one".
        """
        return _first(text)


@lru_cache(maxsize=1024)
def _first(text: str) -> Locale:
    for part in text.lower().split(","):
        tag, *parameters = part.replace(" ", "").split(";")
        primary = _SUBTAG.split(tag)[0]
        if primary in _OURS and not any(map(_REFUSED.fullmatch, parameters)):
            return Locale(primary)
    return Locale.KO


_OURS = frozenset(Locale)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages: `text[locale]`."""

    ko: str
    en: str

    def __getitem__(self, locale: Locale) -> str:
        return self.ko if locale is Locale.KO else self.en
