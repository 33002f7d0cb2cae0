"""What a reply says of what the photo was taken for: that it is right, that it is wrong, or what it is instead."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

from rules_svc.search.phrases import folded

# What a reply denies, up to the end of the clause: "형광등이 아니고 LED", "플라스틱 말고", "not silver but white".
# Words are compared from their beginning, so that the time grows with the length of the reply alone.
_DENIED = re.compile(
    r"(?<!\S)\S+\s*아[니닌닙]\S*|(?<!\S)\S+\s+말고|(?<!\S)\S+지\s*않\S*"
    r"|\b(?:not|isn't|isn’t|aren't|aren’t|no)\s+(?!(?:it|that|this|they)\b)(?:(?:a|an|the|really|quite|any|my)\s+)*"
    r"\w+(?:[ -](?!(?:but|it|that|this|they|just|only|rather)\b)\w+)*",
    re.IGNORECASE,
)
_DENYING = re.compile(r"\s*(?:아[니닌닙]\S*|말고|지\s*않\S*)$|^(?:not|isn['’]t|aren['’]t|no)\s+", re.IGNORECASE)
# Only where a clause begins: "아니요, 건전지예요", but not "플라스틱 아니에요".
_NO = re.compile(
    r"(?:^|(?<=[,.!?~]))\s*(?:아니(?:요|오|야|에요|예요|라니까요?|라고요)?|아뇨|아닌데요?|아닙니다)(?=[\s,.!?~]|$)"
    r"|(?:^|(?<=[,.!?~]))\s*(?:no|nope|nah)\b(?! [a-z]+$)",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"(?:틀[렸린려]|잘못\s*(?:봤|보|알|인식|나|분류|됐|되|판단|찾)|오답|다른\s*(?:거|것|물건)|아니잖)\S*"
    r"|\b(?:wrong|incorrect|mistaken?|misidentified|misrecogni[sz]ed|false|something else)\b"
    r"|\bnot (?:right|correct|it|that|what)\b"
    r"|\b(?:isn|wasn)['’]?t (?:right|correct|it|that|what)\b",
    re.IGNORECASE,
)
_RIGHT = re.compile(
    r"^(?:(?:네|예|응|넵|그래요)\s)?(?:맞아요?|맞습니다|맞네요|맞는데요|맞음|정확해요|정답(?:이에요)?|그거 맞아요)$"
    r"|^(?:(?:yes|yep|yeah)\s)?(?:(?:that|it|this) (?:is|s) )?(?:right|correct|exactly(?: right)?|spot on)$"
)
_YES = re.compile(r"^(?:네+|예|응|넵|그래요?|yes|yep|yeah)$")
# Who says that it is something: 건전지예요, 이건 유리인데요, it's a battery.
_IS = re.compile(
    r"(?:이에요|예요|에요|입니다|이요|이야|이?거든요|이?잖아요?|인데요?|이?라고요?|이네요|임|같아요)[\s.!~]*$"
    r"|\b(?:it|this|that|these|those|they|actually)(?:['’]s|['’]re| is| are| was| were)?\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"(?<!\S)(?:이건|그건|저건|이거는?|그거는?|이게|그게|이것은?|그것은?|사실은?|실은|정확히는|그러니까|근데|전혀)(?!\S)"
    r"|\b(?:it|this|that|these|those|they)(?:['’]s|['’]re| is| are| was| were)?\b"
    r"|\b(?:actually|in fact|rather|but|yes|sorry)\b",
    re.IGNORECASE,
)


# Each is looked up among the names. Nobody denies more in a breath.
_MOST_DENIED, _MOST_LOOKED_AT = 4, 20


class Verdict(Enum):
    """What a reply says of the classification."""

    UNSAID = auto()
    CONFIRMED = auto()
    CORRECTED = auto()
    DENIED = auto()


@dataclass(frozen=True, slots=True)
class Statement:
    """A reply, taken apart.

    Attributes:
        denied: The first phrases it denies, each once, without the words that deny; empty ones only point.
        named: What is left: what it may say the thing is.
        contradicts: Whether it says no, or that something is wrong.
        wrong: Whether it says outright that the photo was taken for something else.
        right: Whether it says outright that the photo was taken for the right thing.
        yes: Whether it says nothing but yes.
        states: Whether it has the form of saying what a thing is.
    """

    denied: tuple[str, ...]
    named: str
    contradicts: bool
    wrong: bool
    right: bool
    yes: bool
    states: bool

    @classmethod
    def of(cls, reply: str) -> "Statement":
        """The parts of a reply."""
        whole = folded(reply)
        wrong, no = bool(_WRONG.search(reply)), bool(_NO.search(reply))
        left = _NO.sub(" ", _WRONG.sub(" ", reply)) if wrong or no else reply
        found = (_POINTING.sub("", _DENYING.sub("", one[0])).strip() for one in _DENIED.finditer(left))
        denied = tuple(islice(dict.fromkeys(islice(found, _MOST_LOOKED_AT)), _MOST_DENIED))
        affirmed = _DENIED.sub(" ", left) if denied else left
        return cls(
            denied=denied,
            named=_POINTING.sub(" ", affirmed).strip(" ,.!?~"),
            contradicts=wrong or bool(denied) or no,
            wrong=wrong,
            right=bool(_RIGHT.search(whole)),
            yes=bool(_YES.search(whole)),
            states=bool(_IS.search(affirmed)),
        )


def affirmed(reply: str) -> str:
    """A reply without what it denies."""
    return _DENIED.sub(" ", reply)
