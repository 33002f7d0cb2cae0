"""The two languages everything a user reads exists in."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

# What may follow a language: subtags (BCP 47), a territory, a codeset or a modifier (POSIX), keywords (ICU).
_REST_OF_LOCALE = re.compile(r"[-_.@;].*", re.DOTALL)
_ANY = "*"
# Of a header or a tag, that are read; browsers send a hundred.
_LONGEST = 500


class Locale(StrEnum):
    """A language of the product."""

    KO = "ko"
    EN = "en"

    @staticmethod
    def parse(text: str) -> "Locale":
        """The language of ours that a caller likes best; Korean if they name none.

        Args:
            text: An Accept-Language header (RFC 9110), or a locale as phones and systems write it: "en-001",
                "ko-Kore-KR", "en_US.UTF-8", "en_US@calendar=japanese".
        """
        return _preferred(text[:_LONGEST]) or Locale.KO

    @staticmethod
    def named(text: str) -> "Locale | None":
        """As `parse`, but None if the caller names no language of ours."""
        return _preferred(text[:_LONGEST])


@lru_cache(maxsize=1024)
def _preferred(text: str) -> Locale | None:
    """The language with the greatest weight, the first of equals; None if none of ours is mentioned.

    "*" stands for the languages that aren't mentioned: Korean before English.
    """
    weights: dict[str, float] = {}
    for part in text.lower().split(","):
        tag, *parameters = part.replace(" ", "").replace("\t", "").split(";")
        language, weight = _REST_OF_LOCALE.sub("", tag), _weight(parameters)
        weights[language] = max(weights.get(language, 0.0), weight)
    mentioned = [Locale(language) for language in weights if language in _OURS]
    if not mentioned:
        return None
    others = weights.get(_ANY, 0.0)
    unmentioned = [one for one in Locale if one not in mentioned]
    best = max((*mentioned, *unmentioned), key=lambda one: weights.get(one, others))
    if weights.get(best, others):
        return best
    # Those who exclude one of two languages want the other.
    return unmentioned[0] if unmentioned else None


_OURS = frozenset(Locale)


def _weight(parameters: list[str]) -> float:
    """The weight among a range's parameters; 1 without one, or with one that is none."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                weight = float(value)
            except ValueError:
                return 1.0
            return weight if 0 <= weight <= 1 else 1.0
    return 1.0


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages: `text[locale]`."""

    ko: str
    en: str

    def __getitem__(self, locale: Locale) -> str:
        return self.ko if locale is Locale.KO else self.en
