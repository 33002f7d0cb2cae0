"""The two languages everything a user reads exists in."""

from enum import StrEnum
from typing import Self


class Locale(StrEnum):
    """A language of the product."""

    KO = "ko"
    EN = "en"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The first language of an Accept-Language header or a BCP 47 tag that we speak; Korean if none.

        Weights are ignored: clients list their languages in order of preference.
        """
        for part in text.split(","):
            for locale in cls:
                if part.strip().lower().startswith(locale.value):
                    return locale
        return cls("ko")
