"""What was spent on models today by somebody's own books, as a caller tells it.

Whoever calls models counts in Redis, which may be lost. A caller with books of its own says that it can tell; it is
asked when nobody knows how much was spent, by MODEL_SPENT_UNKNOWN, and calls again with the figures. These calls come
from inside the mesh alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

HEADER = "eco2-spent"
_ASK = "ask"


@dataclass(frozen=True, slots=True)
class Spent:
    """Millionths of a US dollar since the day of UTC began, without what is still under way.

    Attributes:
        everybody: By all accounts together.
        account: By the one that calls.
    """

    everybody: int
    account: int


def header(spent: Spent | None) -> tuple[str, str]:
    """What a caller with books says: the figures, or that it can tell them."""
    return HEADER, _ASK if spent is None else f"{spent.everybody}/{spent.account}"


def told(metadata: Iterable[tuple[str, str | bytes]]) -> Spent | bool:
    """The figures that came with a call; else whether its caller can tell them."""
    for key, value in metadata:
        if key != HEADER or not isinstance(value, str):
            continue
        everybody, _, account = value.partition("/")
        if everybody.isdecimal() and account.isdecimal():
            return Spent(int(everybody), int(account))
        return value == _ASK
    return False
