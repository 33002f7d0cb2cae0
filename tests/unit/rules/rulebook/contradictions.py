"""What can't stand in one text: what it forbids and what it tells people to do, in both languages.

A line is a sentence or two as a person reads them. What depends on a condition ("if it is hot, don't touch it") counts
only if the situation says that the condition holds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

from mesh.locale import Locale
from rules_svc.rulebook.rules import Rule


@dataclass(frozen=True, slots=True)
class Opposition:
    """A prohibition and what it forbids.

    Attributes:
        forbids: A text that forbids it.
        demands: A text that tells somebody to do it.
    """

    forbids: re.Pattern[str]
    demands: re.Pattern[str]

    @classmethod
    def of(cls, forbids: str, demands: str) -> Self:
        """The opposition of two expressions."""
        return cls(re.compile(forbids), re.compile(demands))


_SENTENCE = re.compile(r"(?<=[.;])\s+")
_CONDITION = {
    Locale.KO: re.compile(r".*?(?:[가-힣]면|때는|때만|거든|곳에서는?|지역에서는)(?=[ ,])"),
    Locale.EN: re.compile(r"\b(?:if|when|while|unless|once|until|broken)\b.*", re.IGNORECASE),
}
# Words of a condition that a situation fulfils.
_FULFILLED = {
    "배터리_부풂": re.compile(r"부풀|부푼|swollen"),
    "과열_의심": re.compile(r"뜨겁|뜨거|hot\b"),
    "깨짐": re.compile(r"깨졌|깨지면|breaks|is broken"),
    "가스_잔존_의심": re.compile(r"가스가 남|gas is left"),
}
_STOP = r"지\s?(?:말|마|않|못)"
_OPPOSITIONS = {
    Locale.KO: (
        Opposition.of(
            rf"(?<!맨손으로 )(?<!겉면을 )(?:만지|건드리|손대){_STOP}",
            r"담아|옮겨|옮기면|감싸|싸서|테이프를 붙|빼요|떼|씻|헹궈|물을 뿌려",
        ),
        Opposition.of(rf"(?<!혼자 )옮기{_STOP}", r"옮겨|가져가|담아"),
        Opposition.of(
            rf"(?:(?<!에서 )가스를|스스로)[^.]{{0,12}}(?:빼|비우){_STOP}",
            r"노즐을 눌러|가스를 [^.]{0,12}빼요|끝까지 빼",
        ),
        Opposition.of(rf"구멍[을은]?[^.]{{0,4}}(?:뚫|내){_STOP}", r"구멍을 (?:뚫어|내)"),
        Opposition.of(rf"(?:뜯|분해하|열){_STOP}", r"뜯어|분해해|뚜껑을 열어"),
        Opposition.of(rf"(?:^|[,·] |고 )수거함에는?[^.]{{0,6}}(?:넣|버리){_STOP}", r"수거함"),
        Opposition.of(
            rf"^(?!.*[을를] )[^.]*종량제봉투에 (?:넣|버리|담){_STOP}", r"종량제봉투에 (?:넣어|담아|버려)|^종량제봉투"
        ),
        Opposition.of(rf"마대에 (?:넣|버리|담){_STOP}", r"마대에 (?:넣어|담아)|^[가-힣 ]*마대"),
        Opposition.of(r"불에 타지 않는|금속 통", r"비닐봉지에 넣|봉투에 밀봉"),
        Opposition.of(r"(?:물에|물을) [^.]{0,6}(?:적셔|담가)", rf"물에 [^.]{{0,4}}(?:적시|담그){_STOP}|물을 붓{_STOP}"),
        Opposition.of(rf"(?<!섞어 )(?:씻|헹구|빨){_STOP}", r"(?<!유리를 )(?:씻어|헹궈|빨아 말)"),
        Opposition.of(
            rf"재활용하{_STOP}|재활용할 수 없", r"^(?:종이|플라스틱|비닐|캔·고철|고철|유리병) 수거함에 (?:넣어|담아)"
        ),
        Opposition.of(rf"분해하{_STOP}|부품을 떼{_STOP}", r"나사를 풀|분해해|부품을 떼어"),
        Opposition.of(rf"섞{_STOP}", r"섞어|함께 부어"),
        Opposition.of(rf"하수구[^.]{{0,14}}(?:버리|붓|흘리){_STOP}", r"하수구에 (?:버려|부어|흘려)"),
        Opposition.of(rf"변기에 버리{_STOP}", r"변기에 버려"),
        Opposition.of(rf"눕히{_STOP}|세워 (?:둬|옮겨)", r"눕혀"),
        Opposition.of(r"신고해|신고하고|신고부터", r"^종량제봉투에 (?:넣어|담아)요\.?$"),
        Opposition.of(rf"충전하{_STOP}", r"충전해"),
        Opposition.of(r"낱개로|하나씩 떼어", r"한데 묶어"),
    ),
    Locale.EN: (
        Opposition.of(
            r"(?:[Dd]on't|[Nn]ever) touch\b(?![^.]*bare hands)|leave it alone",
            r"\b(?:wrap|tape over|take (?:it|them) out|rinse|wash|wet it)\b",
        ),
        Opposition.of(r"(?:[Dd]on't|[Nn]ever)[^.;]{0,20} move\b", r"\b(?:take it to|carry it|bring it)\b"),
        Opposition.of(
            r"(?:[Dd]on't|[Nn]ever)[^.;]{0,10}(?:let out|empty)[^.;]{0,20}gas",
            r"press the nozzle|let (?:all )?(?:of it|gas) out",
        ),
        Opposition.of(r"(?:[Dd]on't|[Nn]ever) [^.;]{0,10}pierce", r"\b(?:pierce it so|punch a hole)\b"),
        Opposition.of(r"(?:[Dd]on't|[Nn]ever) put it in (?:a|the) box", r"\bbox\b"),
        Opposition.of(r"(?:[Dd]on't|[Nn]ever) put [^.;]{0,12}in a volume-rate bag", r"\ba volume-rate bag\b"),
        Opposition.of(r"fireproof|metal tin", r"plastic bag|seal (?:it|them) in a bag"),
        Opposition.of(
            r"(?:[Dd]on't|[Nn]ever|isn't) (?:wash|rinse|washed)\b(?! bleach)", r"\b(?:[Rr]inse it|[Ww]ash it)\b"
        ),
        Opposition.of(
            r"\b[Ii]t can't be recycled|\b[Ii]t isn't recycled",
            r"\b[Pp]ut it (?:in|with) (?:the )?(?:paper|plastics|film|glass|can)",
        ),
        Opposition.of(
            r"(?:[Dd]on't|[Nn]ever)[^.;]{0,20}(?:take it apart|open it)", r"\b[Tt]ake it apart\b|\bunscrew\b"
        ),
        Opposition.of(r"(?:[Dd]on't|[Nn]ever)[^.;]{0,12}\bmix\b", r"\b[Mm]ix it\b|\bpour together\b"),
        Opposition.of(r"(?:[Dd]on't|[Nn]ever)[^.;]{0,14}pour it[^.;]{0,20}drain", r"down the drain"),
        Opposition.of(r"(?:[Dd]on't|[Nn]ever) flush", r"\b[Ff]lush (?:it|the)\b|into the toilet"),
        Opposition.of(r"\b[Dd]eclare it\b", r"^Put it in a volume-rate bag[^.;]*\.$"),
        Opposition.of(r"(?:[Dd]on't|[Nn]ever) charge", r"\b[Cc]harge it\b"),
    ),
}
_ANY_TIME = {Locale.KO: re.compile("언제든"), Locale.EN: re.compile(r"\bAny time\b")}
_BOX = {
    Locale.KO: re.compile("수거함|수거통|의류함"),
    Locale.EN: re.compile(r"\bbox(?:es)?\b|\bbins?\b|\bcontainers?\b"),
}
_ASK_FIRST = {
    Locale.KO: re.compile(r"알려 주는 곳|안내받은 곳|와서 수거해"),
    Locale.EN: re.compile(r"tells? you|come for it"),
}
_BINS = {
    Locale.KO: ("종량제봉투", "마대", "수거함"),
    Locale.EN: ("volume-rate bag", "sack", "box", "bin"),
}
_WHERE_STEPS = frozenset({"drop", "bag"})
# A region's day or place that belongs to one way of collecting only.
_BAGS = {Locale.KO: re.compile("봉투|마대"), Locale.EN: re.compile(r"\bbags?\b|\bsacks?\b")}
_DECLARED = {Locale.KO: re.compile("신고한|신고할 때"), Locale.EN: re.compile("agreed (?:with|when)")}


def held(tags: Sequence[str]) -> frozenset[str]:
    """Those tags of a situation that fulfil a condition."""
    return frozenset(tags).intersection(_FULFILLED)


def between(lines: Sequence[str], locale: Locale, tags: Sequence[str] = ()) -> list[str]:
    """The contradictions between the lines of one text, as a person would quote them."""
    holds = held(tags)
    told = [fact for line in lines for fact in _facts(line, locale, holds)]
    return [
        f"{one.text!r} beside {other.text!r}"
        for one in told
        if one.forbidden
        for other in told
        if one is not other and not one.forbidden.isdisjoint(other.demanded)
    ]


@dataclass(frozen=True, slots=True)
class _Fact:
    """A sentence, with the numbers of what it forbids and of what it demands."""

    text: str
    forbidden: frozenset[int]
    demanded: frozenset[int]


@cache
def _facts(line: str, locale: Locale, holds: frozenset[str]) -> tuple[_Fact, ...]:
    sentences = (_unconditional(sentence, locale, holds) for sentence in _SENTENCE.split(line))
    numbered = tuple(enumerate(_OPPOSITIONS[locale]))
    return tuple(
        _Fact(
            sentence,
            frozenset(number for number, one in numbered if one.forbids.search(sentence)),
            frozenset(number for number, one in numbered if one.demands.search(one.forbids.sub("", sentence))),
        )
        for sentence in sentences
        if sentence
    )


def within(rule: Rule, locale: Locale, tags: Sequence[str] = ()) -> list[str]:
    """The contradictions within a rule: between its lines, and between its parts."""
    told = rule.localized(locale)
    lines = [*told.steps, *told.hazards, told.container, told.when, told.place]
    found = between(lines, locale, tags)
    if _ANY_TIME[locale].search(told.when) and not _open_any_time(told.container, locale):
        found.append(f"{told.when!r} beside {told.container!r}")
    theirs = _bins(told.container, locale)
    if _DECLARED[locale].search(told.when) and not _DECLARED[locale].search(told.container):
        found += [f"{told.when!r} beside {told.container!r}"] if _only_a_bin(told.container, locale) else []
    for step in rule.steps:
        named = _bins(step.text[locale], locale) if step.about in _WHERE_STEPS else frozenset[str]()
        if named and theirs and named.isdisjoint(theirs):
            found.append(f"{step.text[locale]!r} beside {told.container!r}")
    return found


@cache
def _only_a_bin(container: str, locale: Locale) -> bool:
    """Whether it goes in a bin or an ordinary bag, for which nothing has to be declared."""
    return bool(_BOX[locale].search(container)) and not _BAGS[locale].search(container)


@cache
def _open_any_time(container: str, locale: Locale) -> bool:
    return bool(_BOX[locale].search(container)) and not _ASK_FIRST[locale].search(container)


@cache
def _bins(line: str, locale: Locale) -> frozenset[str]:
    said = _unconditional(line, locale, frozenset())
    return frozenset(one for one in _BINS[locale] if one in said)


def _unconditional(sentence: str, locale: Locale, holds: frozenset[str]) -> str:
    """The sentence as far as it holds whatever the circumstances, or in the situation's."""
    condition = _CONDITION[locale].search(sentence)
    if condition is None:
        return sentence
    if any(_FULFILLED[tag].search(condition.group()) for tag in holds):
        return sentence
    return sentence[: condition.start()] if locale is Locale.EN else ""
