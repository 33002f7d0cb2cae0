"""The table of limits: how often each RPC may be called in a minute."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TypeAlias

import msgspec
import yaml

# What is to differ from the table, by row and subject: {"create": {"user": 100}}.
Changes: TypeAlias = Mapping[str, Mapping[str, int]]

WINDOW_SECONDS = 60

# A limit that the edge counts by itself refills every second at least, so that its `Retry-After: 1` is true.
LEAST_AT_THE_EDGE = 60


class UnusableLimits(ValueError):
    """What is to differ from the table can't; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A row of the table.

    Attributes:
        rpcs: Whom it is for, such as "eco2.scan.v1.ScanService/CreateScan"; each is counted by itself.
        user: Calls a minute by one user; None: they aren't counted.
        address: Calls a minute from one IP address; None: they aren't counted.
        shared: Whether all edges count together, in Redis.
    """

    rpcs: tuple[str, ...] = ()
    user: int | None = None
    address: int | None = None
    shared: bool = False


def load_limits(changes: Changes | None = None) -> Mapping[str, Limit]:
    """The table by the rows' names.

    Args:
        changes: Other numbers.

    Raises:
        UnusableLimits: There is no such row, it doesn't count that subject, or the number is too small.
    """
    text = (files("ratelimit_svc") / "limits.yaml").read_text("utf-8")
    table = msgspec.convert(yaml.safe_load(text), dict[str, Limit], strict=True)
    for name, numbers in (changes or {}).items():
        if name not in table:
            raise UnusableLimits(f"there is no limit {name}: name some of {', '.join(table)}")
        table[name] = _changed(name, table[name], numbers)
    return table


def _changed(name: str, limit: Limit, numbers: Mapping[str, int]) -> Limit:
    least = 1 if limit.shared else LEAST_AT_THE_EDGE
    counted = {"user": limit.user, "address": limit.address}
    for subject, number in numbers.items():
        if counted.get(subject) is None:
            raise UnusableLimits(f"{name} isn't counted by {subject}")
        if number < least:
            raise UnusableLimits(f"{name}.{subject} is at least {least}")
    return replace(limit, user=numbers.get("user", limit.user), address=numbers.get("address", limit.address))
