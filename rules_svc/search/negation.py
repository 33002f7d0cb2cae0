"""Whether what is found in a text is affirmed there, denied, or neither: asked, supposed, or told to be done."""

import re
from collections.abc import Sequence
from enum import Enum, auto
from functools import lru_cache
from itertools import pairwise
from typing import Any

from msgspec import Struct

from rules_svc.search.wordings import STOP, Span

_ENGLISH_NO = frozenset(["not", "no", "never", "without", "nothing", "none", "nor", "neither", "hardly"])
_ENGLISH_NO_REACHES = 4  # words
_NOT_ONLY = frozenset(("only", "just", "merely"))
_SUPPOSED = frozenset(["if", "whether", "unless", "should", "must"])
_ASKED_OF_IT = frozenset(["is", "are", "was", "were", "does", "do", "did", "has", "have"])
_IT = frozenset(["it", "this", "that", "they", "these", "those", "there"])

_ENDINGS_KEPT = 4096  # ends of words of which is known what they say, some 0.2 kB each
_KOREAN_NO = frozenset(("안", "못", "별로"))
# 깨지지 않았어요, 젖진 않은, 깨지지않은
_LONG_DENIAL_BEGINS = re.compile(r"(?:지|진|지는|지도|지가|질)$")
_LONG_DENIAL = re.compile(r"^(?:않|안|못|아니)")
_LONG_DENIAL_JOINED = re.compile(r"(?:지|진|지는|지도)(?:않|안|못)")
# so that it doesn't break: 깨지지 않게
_PURPOSE = re.compile(r"^(?:않게|않도록|안게)")
_NOTHING_BUT = ("밖에", "뿐", "뿐이")  # 한 짝밖에 없어요
# 깨진 데 없이, 기름 묻은 건 아니고, 라벨은 없어요
_STAND_INS = re.compile(
    r"^(?:데|곳|부분|건|거|게|것|걸|적|점|흔적|자국|일|느낌|상태|하나|전혀|아무|아무것|수)(?:은|는|이|도|가|를|을|로)?$"
)
_IS_NOT = re.compile(r"^(?:없|아니|아닌|아닙|않)")
_BORN = re.compile(r"^(?:폈|핀|피|생겼|생긴|났|난|나|있|묻|보|들|붙)")
# 깨지면, 깨졌나요, 깨졌는지
_NOT_STATED = re.compile(
    r"(?:면|[나까]요|[는은]가요|[는을]지|니|냐|야[하되돼]|[어아여해]야|려[면고]|세요)$|(?:[어아해]야|면)[하되돼]"
)


class Stance(Enum):
    """How a text stands to what it mentions."""

    AFFIRMED = auto()
    DENIED = auto()
    UNSTATED = auto()


def stance(words: Sequence[str], span: Span[Any]) -> Stance:
    """How a text stands to a pattern found in it."""
    inner = [words[at] for at in range(span.at[0], span.at[-1]) if at not in span.at]
    if words[span.at[-1]].isascii():
        return _in_english(words, span, inner)
    return _in_korean(words, span, inner)


def _in_english(words: Sequence[str], span: Span[Any], inner: Sequence[str]) -> Stance:
    first = span.at[0]
    begins = next((at + 1 for at in range(first - 1, -1, -1) if words[at] == STOP), 0)
    near = words[max(begins, first - _ENGLISH_NO_REACHES) : first]
    if "but" in near:
        near = near[len(near) - near[::-1].index("but") :]
    asked = first - begins > 1 and words[begins] in _ASKED_OF_IT and words[begins + 1] in _IT
    if asked or not _SUPPOSED.isdisjoint(near):
        return Stance.UNSTATED
    heard = [*near, *inner, ""]
    if _ENGLISH_NO.isdisjoint(heard):
        return Stance.AFFIRMED
    denied = any(word in _ENGLISH_NO and following not in _NOT_ONLY for word, following in pairwise(heard))
    return Stance.DENIED if denied else Stance.AFFIRMED


def _in_korean(words: Sequence[str], span: Span[Any], inner: Sequence[str]) -> Stance:
    before = words[span.at[0] - 1] if span.at[0] else ""
    after = words[span.at[-1] + 1 : span.at[-1] + 5]
    if STOP in after:
        after = after[: after.index(STOP)]
    said = _said_by(span.rest)
    if said.begins_denial and after and _LONG_DENIAL.search(after[0]):
        return Stance.UNSTATED if _PURPOSE.search(after[0]) else Stance.DENIED
    if said.denies:
        return Stance.DENIED
    if said.nothing_but:
        return Stance.AFFIRMED
    if said.leaves_open and not _NOT_STATED.search(words[span.at[-1]][: -len(span.rest)]):
        return Stance.UNSTATED
    if span.joined or before in _KOREAN_NO or not _KOREAN_NO.isdisjoint(inner) or _denied_behind(after):
        return Stance.DENIED
    return Stance.AFFIRMED


class _Said(Struct, frozen=True):
    """What the end of a Korean word, behind its stem, says of it.

    Attributes:
        begins_denial: That a denial follows: 깨지지 (않아요).
        denies: That it isn't so: 깨지지않은.
        nothing_but: That there is no more of it, which denies the rest: 한 짝밖에.
        leaves_open: That it is asked, supposed, or told to be done.
    """

    begins_denial: bool
    denies: bool
    nothing_but: bool
    leaves_open: bool


@lru_cache(maxsize=_ENDINGS_KEPT)
def _said_by(rest: str) -> _Said:
    return _Said(
        bool(_LONG_DENIAL_BEGINS.search(rest)),
        bool(_LONG_DENIAL_JOINED.search(rest)),
        rest.endswith(_NOTHING_BUT),
        bool(_NOT_STATED.search(rest)),
    )


def _denied_behind(after: Sequence[str]) -> bool:
    """Whether the words behind deny it: 없어요, 데는 하나도 없이, 안 폈어요."""
    if len(after) > 1 and after[0] == "안":
        return bool(_BORN.search(after[1]))
    follows = next((word for word in after if not _STAND_INS.search(word)), "")
    return bool(_IS_NOT.search(follows))
