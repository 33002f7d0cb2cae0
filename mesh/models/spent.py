"""The header by which a caller reports what was spent on models today, by its own books.

Vision and Rules count spending in Redis, which may lose it. A caller with books of its own (Scan, in PostgreSQL) sends
`ask`: when the count in Redis is lost, the call is refused with MODEL_SPENT_UNKNOWN, and the caller sends it again with
the figures. These calls come from inside the mesh only.
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
    """The header of a caller with books: the figures, or that it can send them."""
    return HEADER, _ASK if spent is None else f"{spent.everybody}/{spent.account}"


def from_metadata(metadata: Iterable[tuple[str, str | bytes]]) -> Spent | bool:
    """The figures that came with a call; else whether its caller can send them."""
    for key, value in metadata:
        if key != HEADER or not isinstance(value, str):
            continue
        everybody, _, account = value.partition("/")
        if everybody.isdecimal() and account.isdecimal():
            return Spent(int(everybody), int(account))
        return value == _ASK
    return False
