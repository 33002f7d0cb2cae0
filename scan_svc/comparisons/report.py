"""What a comparison says in the end: counts, and accuracy with its uncertainty. Pure arithmetic.

Accuracy is that among scans whose users said what they show, by major and middle category: the rule and the bag go by
those. People reply more often where something looks wrong, so it isn't the accuracy of all scans; what can be compared
is the two sides, which stand on the same scans. Its interval is Wilson's for 95 %. Whether the sides really differ is
McNemar's exact test: of the scans where one side alone is right, how likely so uneven a split would be by chance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

_Z = 1.959963984540054  # of the normal distribution, 95 % two-sided


@dataclass(frozen=True, slots=True)
class Interval:
    """A share between 0 and 1, with its 95 % interval."""

    share: float
    low: float
    high: float

    @classmethod
    def wilson(cls, right: int, of: int) -> Self:
        """Of `right` among `of`, which is at least 1."""
        share, z2 = right / of, _Z * _Z
        middle = (share + z2 / (2 * of)) / (1 + z2 / of)
        half = _Z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
        return cls(share, max(0.0, middle - half), min(1.0, middle + half))


def mcnemar(only_before: int, only_after: int) -> float:
    """The two-sided exact p of so uneven a split, or one more uneven, if both sides were equally good."""
    discordant, fewer = only_before + only_after, min(only_before, only_after)
    term = total = 1  # the binomial coefficients, one from the other
    for number in range(fewer):
        term = term * (discordant - number) // (number + 1)
        total += term
    # Integers: as floats, the terms of some thousand scans would overflow.
    return min(1.0, 2 * total / 2**discordant) if discordant < 1000 else min(1.0, _ratio(2 * total, discordant))


def _ratio(numerator: int, power: int) -> float:
    """A whole number by a power of two that no float can hold."""
    shift = max(0, numerator.bit_length() - 53)
    return math.ldexp(numerator >> shift, shift - power)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Both sides against what users said.

    Attributes:
        known: Of how many scans users said what they show.
        before: How often the old side is right among them.
        after: How often the new one is.
        only_before: Where the old side alone is right.
        only_after: Where the new one alone is.
        p_value: McNemar's, exact and two-sided.
    """

    known: int
    before: Interval
    after: Interval
    only_before: int
    only_after: int
    p_value: float

    @classmethod
    def of(cls, known: int, before: int, after: int, only_before: int, only_after: int) -> "Accuracy | None":
        """None where nobody said anything."""
        if not known:
            return None
        p_value = mcnemar(only_before, only_after)
        return cls(
            known, Interval.wilson(before, known), Interval.wilson(after, known), only_before, only_after, p_value
        )


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often one category, to the middle level, became another one."""

    before: str
    after: str
    count: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What looks cost and took on one side, over those of which it is known.

    Attributes:
        paid: How many were paid for.
        mean_cost_micro_usd: What one of those cost; None if none was.
        timed: Of how many the duration is known.
        p50_ms: The middle duration.
        p95_ms: What one in twenty takes longer than.
    """

    paid: int
    mean_cost_micro_usd: float | None
    timed: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison has found so far, over the scans that are still there.

    Attributes:
        compared: Scans that came out both ways.
        skipped: Scans that couldn't be looked at, by reason.
        failed: Scans at which the new side failed, by reason.
        same_major: Where both sides name the same major category.
        same_middle: The same major and middle.
        same_category: The same at every level.
        differs: How many differ in what, by `scan_svc.comparisons.comparisons.DIFFERENCES`.
        confusions: What became what, the most frequent first.
        confidence_before: The mean of those with one on both sides; None if there are none.
        confidence_after: Likewise.
        denied: Scans whose users said that the old side is wrong, but not what is right.
        denied_changed: Of those, where the new side says something else.
        accuracy: None where users said nothing.
        before: What looks cost and took.
        after: Likewise.
    """

    compared: int
    skipped: Mapping[str, int]
    failed: Mapping[str, int]
    same_major: int
    same_middle: int
    same_category: int
    differs: Mapping[str, int]
    confusions: Sequence[Confusion]
    confidence_before: float | None
    confidence_after: float | None
    denied: int
    denied_changed: int
    accuracy: Accuracy | None
    before: Measured
    after: Measured
