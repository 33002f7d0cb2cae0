"""The other things in a photo: what an answer says of them beside the one that it is about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesh.locale import Locale, Text
from rules_svc.rulebook.rules import LocalizedRule

_OTHERS = Text("함께 찍힌 것은 따로 버려요.", "The other things in the photo go apart.")
_OTHER = Text("· {name}: {container}", "· {name}: {container}")


@dataclass(frozen=True, slots=True)
class OtherObject:
    """A thing in the photo beside the one that the answer is about.

    Attributes:
        display_name: Its name in the locale.
        rule: The rule to follow for it.
    """

    display_name: str
    rule: LocalizedRule


def lines_about(others: Sequence[OtherObject], told: Sequence[str], locale: Locale) -> Iterator[str]:
    """Where each of them goes, then their dangers.

    Args:
        others: The other things.
        told: Dangers that the answer tells already.
        locale: Language.
    """
    if not others:
        return
    yield _OTHERS[locale]
    yield from dict.fromkeys(
        _OTHER[locale].format(name=one.display_name, container=one.rule.container) for one in others
    )
    hazards = dict.fromkeys(hazard for one in others for hazard in one.rule.hazards)
    yield from (f"⚠ {hazard}" for hazard in hazards if hazard not in told)
