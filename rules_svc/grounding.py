"""Whether a text states only what the rules say, as far as a machine can tell.

It can't judge meaning. It refuses what does harm when invented: whom to call, where to click, where to take it, how
much and how many, and the words of our own prompt.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from rules_svc.rulebook import ToldRule

_ADDRESS = re.compile(r"https?:|www\.|@|\b[\w-]+\.(?:com|net|org|kr|io|me|app|co|info|xyz|ly|gg)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,:-]\d+)*")
_ITEM = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)  # the number of a step
# What a person could carry something to, with the material it is for. Each that a text names must be named by a rule.
_FOR = (
    r"(?:헌\s?옷|의류|옷|폐?건전지|전지|배터리|폐?형광등|소형\s?가전|가전|폐?의약품|약|캔|고철|금속|유리병?|병|종이팩?|페트병|플라스틱"
    r"|비닐|스티로폼|음식물|재활용품?|일반)류?"
)
_FOR_EN = (
    r"(?:clothing|clothes|textile|battery|batteries|lamp|appliance|medicine|can|metal|glass|bottle|paper|carton|plastic"
    r"|film|foam|food|recycling|general|rubbish|trash|garbage)"
)
_CONTAINERS = re.compile(
    rf"(?:{_FOR}\s?)?\w*(?:수거함|수거장|수거소|봉투|마대|분리수거대|쓰레기통)"
    r"|\w*(?:재활용\s?센터|주민\s?센터|복지\s?센터|순환\s?센터|보건소|약국|변기|하수구|배수구)"
    rf"|\b(?:{_FOR_EN}\s)?(?:box|boxes|bin|bins|sack|sacks|bag|bags)\b"
    r"|\b(?:pharmacy|pharmacies|drain|sink|toilet|dump|landfill|shop|store)\b"
    r"|\b(?:recycling|community|health) cent(?:re|er)\b",
    re.IGNORECASE,
)
_LEAK = 40  # characters in a row that stand in the prompt too


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an answer may stand on.

    Attributes:
        rule_ids: The rules there are.
    """

    rule_ids: frozenset[str]
    _text: str
    _numbers: frozenset[str]
    _prompt: str

    @classmethod
    def of(cls, rules: Sequence[ToldRule], prompt: str) -> Self:
        """The grounds that these rules give, which are never those of the prompt."""
        text = _plain("\n".join(line for rule in rules for line in _lines(rule)))
        return cls(frozenset(rule.rule_id for rule in rules), text, frozenset(_NUMBER.findall(text)), _plain(prompt))

    def offence(self, text: str) -> str:
        """What the text states without grounds: "address", "number", "container" or "prompt"; empty if nothing."""
        plain = _plain(text)
        if _ADDRESS.search(text):
            return "address"
        if any(number not in self._numbers for number in _NUMBER.findall(_ITEM.sub("", text))):
            return "number"
        if any(_plain(found.group()) not in self._text for found in _CONTAINERS.finditer(text)):
            return "container"
        if any(plain[start : start + _LEAK] in self._prompt for start in range(0, len(plain) - _LEAK + 1)):
            return "prompt"
        return ""

    def cites(self, rule_ids: Sequence[str]) -> bool:
        """Whether only rules are cited that there are, and at least one."""
        return bool(rule_ids) and self.rule_ids.issuperset(rule_ids)


def _plain(text: str) -> str:
    """Without spaces and case, which models and people set as they like."""
    return re.sub(r"\s+", "", text).casefold()


def _lines(rule: ToldRule) -> Iterator[str]:
    yield from (rule.title, *rule.steps, rule.why, rule.container, *rule.hazards, rule.fee, rule.when, rule.place)
    yield from (part for exclusion in rule.exclusions for part in exclusion)
