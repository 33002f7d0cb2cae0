"""Checks mechanically whether a text states only what the rules say.

It can't judge meaning. It refuses what does harm when a model invents it (addresses, containers and places, numbers, a
part of a thing in another part's bin), and parts of our own prompt.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from rules_svc.answers.parts import PartInText, pieces
from rules_svc.rulebook.rules import LocalizedPart, LocalizedRule

_ADDRESS = re.compile(r"https?:|www\.|@|\w-*\.(?:com|net|org|kr|io|me|app|co|info|xyz|ly|gg)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,:-]\d+)*")
_ITEM = re.compile(r"^[^\S\n]*\d{1,2}[.)]\s", re.MULTILINE)  # the number of a step
# Containers and places, with the material they are for. A text may name only those that a rule names.
_FOR = (
    r"(?:헌\s?옷|의류|옷|폐?건전지|전지|배터리|폐?형광등|소형\s?가전|가전|폐?의약품|약|캔|고철|금속|유리병?|병|종이팩?|페트병|플라스틱"
    r"|비닐|스티로폼|음식물|재활용품?|일반)류?"
)
_FOR_EN = (
    r"(?:clothing|clothes|textile|battery|batteries|lamp|appliance|medicine|can|metal|glass|bottle|paper|carton|plastic"
    r"|film|foam|food|recycling|general|rubbish|trash|garbage)"
)
_BINS = ("수거함", "수거장", "수거소", "봉투", "마대", "분리수거대", "쓰레기통")
_PLACES = ("보건소", "약국", "변기", "하수구", "배수구")
_CENTRES = ("재활용", "주민", "복지", "순환")
_BINS_EN = ("box", "boxes", "bin", "bins", "sack", "sacks", "bag", "bags")
_PLACES_EN = ("pharmacy", "pharmacies", "drain", "sink", "toilet", "dump", "landfill", "shop", "store")
# Each of these takes time linear in the text's length: none begins with a repetition.
_WORD = re.compile(r"\w+")
_BIN = re.compile("|".join(_BINS))
_PLACE = re.compile(rf"(?:{'|'.join(_CENTRES)})\s?센터|{'|'.join(_PLACES)}")
_FOR_ENDING = re.compile(rf"{_FOR}\s\Z")
_FOR_APART = (("헌", "옷"), ("소형", "가전"))
_LONGEST_FOR = 10  # characters of the longest material, the blank behind it included
_LONGEST_BREAK = 3  # characters of a centre's name in the next word: " 센터"
_CONTAINERS_EN = re.compile(
    rf"\b(?:{_FOR_EN}\s)?(?:{'|'.join(_BINS_EN)})\b"
    rf"|\b(?:{'|'.join(_PLACES_EN)})\b"
    r"|\b(?:recycling|community|health) cent(?:re|er)\b",
    re.IGNORECASE,
)
# A text without any of these, in lower case, names no container. Looking for them costs a tenth of the full search.
_TELLTALES = (*_BINS, *_PLACES, "센터", *_BINS_EN, *_PLACES_EN, "centre", "center")
_BESIDE = re.compile(r"[(,;]")  # behind it a container's name has conditions
_LEAK = 40  # characters in a row that are in the prompt as well
_KNOWN = 512  # sets of rules whose grounds are kept, some kilobytes each


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an answer may state.

    Attributes:
        rule_ids: The rules there are.
    """

    rule_ids: frozenset[str]
    _text: str
    _numbers: frozenset[str]
    _leaks: frozenset[str]
    _parts: tuple[PartInText, ...]

    @classmethod
    @lru_cache(maxsize=_KNOWN)
    def of(cls, rules: tuple[LocalizedRule, ...], prompt: str) -> Self:
        """The grounds that these rules give; the prompt gives none. Cached, since few rules are asked for often."""
        text = _plain("\n".join(line for rule in rules for line in _lines(rule)))
        return cls(
            frozenset(rule.rule_id for rule in rules),
            text,
            frozenset(_NUMBER.findall(text)),
            _leaks(prompt),
            tuple(_parts(rules)),
        )

    def offence(self, text: str) -> str:
        """What the text states without grounds; empty if nothing.

        Returns:
            "address", "number", "container", "part" or "prompt".
        """
        if _ADDRESS.search(text):
            return "address"
        if any(number not in self._numbers for number in _NUMBER.findall(_ITEM.sub("", text))):
            return "number"
        if any(found not in self._text for found in _plain_containers(text)):
            return "container"
        if any(
            part.goes_elsewhere(_plain(piece), _plain_containers(piece)) for piece, part in pieces(text, self._parts)
        ):
            return "part"
        if not self._leaks.isdisjoint(_runs(text)):
            return "prompt"
        return ""

    def cites(self, rule_ids: Sequence[str]) -> bool:
        """Whether at least one rule is cited, and no unknown one."""
        return bool(rule_ids) and self.rule_ids.issuperset(rule_ids)


def _containers(text: str) -> Iterator[str]:
    """The containers and places that a text names."""
    folded = text.replace("İ", "i").replace("ı", "i").casefold()  # as the expression ignores case
    if any(telltale in folded for telltale in _TELLTALES):
        for word in _WORD.finditer(text):
            yield from _korean_containers(text, *word.span())
        yield from (found.group() for found in _CONTAINERS_EN.finditer(text))


def _korean_containers(text: str, start: int, end: int) -> Iterator[str]:
    """The containers that the word between two offsets names, each from the word's start to the container's end."""
    if ends := [found.end() for found in _BIN.finditer(text, start, end)]:
        yield text[_beginning(text, start) : ends[-1]]
    ends = [found.end() for found in _PLACE.finditer(text, start, end + _LONGEST_BREAK) if found.start() < end]
    if ends:
        yield text[start : ends[-1]]


def _beginning(text: str, start: int) -> int:
    """Where a bin's name begins: the word before it, or a part of that, may name the bin's material."""
    before = text[max(0, start - _LONGEST_FOR) : start]
    if material := _FOR_ENDING.search(before):
        return start - len(before) + material.start()
    for first, second in _FOR_APART:
        if text.startswith(second, start) and before[:-1].endswith(first) and before[-1].isspace():
            return start - 1 - len(first)
    return start


def _runs(text: str) -> Iterator[str]:
    """Every run of characters that is long enough to be a leak."""
    plain = _plain(text)
    return (plain[start : start + _LEAK] for start in range(len(plain) - _LEAK + 1))


@lru_cache(maxsize=1)
def _leaks(prompt: str) -> frozenset[str]:
    """The runs of characters that would leak the prompt."""
    return frozenset(_runs(prompt))


def _plain(text: str) -> str:
    """Without spaces and case, in which models and rules differ."""
    return "".join(text.split()).casefold()


def _lines(rule: LocalizedRule) -> Iterator[str]:
    yield from (rule.title, *rule.steps, rule.why, rule.container, *rule.hazards, rule.fee, rule.when, rule.place)
    yield from (part for exclusion in rule.exclusions for part in exclusion)
    yield from (text for part in rule.parts for text in (part.name, part.how, part.container))


def _parts(rules: Sequence[LocalizedRule]) -> Iterator[PartInText]:
    """The parts of the thing that the first rule is for."""
    parts = rules[0].parts
    containers = [_plain(_BESIDE.split(part.container)[0]) for part in parts]
    for part in parts:
        yield PartInText.of(part, _plain(_said_of(part, rules)), containers)


def _plain_containers(text: str) -> list[str]:
    return [_plain(found) for found in _containers(text)]


def _said_of(part: LocalizedPart, rules: Sequence[LocalizedRule]) -> str:
    """What the rules say of a part, and where it goes."""
    word = part.name.split()[-1].casefold()
    said = (line for rule in rules for line in _lines(rule) if word in line.casefold())
    return "\n".join([part.how, part.container, *said])
