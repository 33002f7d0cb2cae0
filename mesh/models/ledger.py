"""Where the use of models is counted: in Redis for all processes together, or in this process alone."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Protocol

from mesh.models.spent import Spent
from mesh.redis import DOWN, GuardedRedis

_MINUTE = 60.0
_DAY = 86_400


class Purse(StrEnum):
    """Whose money and rate it is: each is counted for itself, so that none is refused for another one's calls."""

    USERS = "model"
    COMPARISONS = "comparison"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a model may be used.

    Attributes:
        requests_per_minute: Of one model.
        tokens_per_minute: Of one model.
        day_micro_usd: Spent by everybody together in a day of UTC; 0 for no limit.
        user_micro_usd: Spent by one account in a day of UTC; 0 for no limit.
    """

    requests_per_minute: int
    tokens_per_minute: int
    day_micro_usd: int = 0
    user_micro_usd: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One call, estimated.

    Attributes:
        model: Which model.
        account: Whose share; empty for nobody's.
        tokens: Read and written together.
        micro_usd: Cost.
        at: When, in seconds since the epoch.
        spent: What was spent today, by the caller's books; else whether it can tell.
        calls: How many calls it stands for; tokens and money are those of all together.
    """

    model: str
    account: str
    tokens: int
    micro_usd: int
    at: float
    spent: Spent | bool = False
    calls: int = 1

    @property
    def day(self) -> int:
        """Days since the epoch."""
        return int(self.at // _DAY)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may be made.

    Attributes:
        forbidden_by: "day" or "user": whose money is spent; empty if nobody's.
        wait: Seconds until there is room; 0 if there is now.
        unknown: Whether the caller has to tell first what was spent today.
    """

    forbidden_by: str = ""
    wait: float = 0.0
    unknown: bool = False


class Ledger(Protocol):
    """Counts calls."""

    async def reserve(self, entry: Entry, limits: Limits) -> Verdict:
        """Counts a call in, unless a limit forbids it."""

    async def settle(self, entry: Entry, tokens: int, micro_usd: int, calls: int = 1) -> None:
        """Corrects what was counted to what was used."""


class LocalLedger:
    """Counts in this process alone, for a service without Redis, or while Redis is down.

    It doesn't know what other processes spend, so a caller that can send the day's figures is asked for them whenever a
    cap applies.
    """

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float, float]] = {}
        self._spent: dict[tuple[int, str], int] = defaultdict(int)

    async def reserve(self, entry: Entry, limits: Limits) -> Verdict:
        """As the port says."""
        purses = self._purses(entry, limits)
        if entry.spent is True and any(cap for _, cap, _ in purses):
            return Verdict(unknown=True)
        if isinstance(entry.spent, Spent):
            for (key, _, _), reported in zip(purses, (entry.spent.everybody, entry.spent.account), strict=True):
                self._spent[key] = max(self._spent[key], reported)
        for key, cap, who in purses:
            if cap and self._spent[key] + entry.micro_usd > cap:
                return Verdict(forbidden_by=who)
        rpm, tpm = limits.requests_per_minute, limits.tokens_per_minute
        requests, tokens, at = self._buckets.get(entry.model, (rpm, tpm, entry.at))
        elapsed, wanted = max(0.0, entry.at - at), min(entry.tokens, tpm)
        requests = min(rpm, requests + elapsed * rpm / _MINUTE)
        tokens = min(tpm, tokens + elapsed * tpm / _MINUTE)
        wait = max((entry.calls - requests) * _MINUTE / rpm, (wanted - tokens) * _MINUTE / tpm)
        if wait > 0:
            return Verdict(wait=wait)
        self._buckets[entry.model] = (requests - entry.calls, tokens - wanted, max(at, entry.at))
        for key, _, _ in self._purses(entry, limits):
            self._spent[key] += entry.micro_usd
        return Verdict()

    async def settle(self, entry: Entry, tokens: int, micro_usd: int, calls: int = 1) -> None:
        """As the port says."""
        if entry.model in self._buckets:
            requests, left, at = self._buckets[entry.model]
            self._buckets[entry.model] = (requests + entry.calls - calls, left + entry.tokens - tokens, at)
        for key in ((entry.day, ""), (entry.day, entry.account or "-")):
            self._spent[key] += micro_usd - entry.micro_usd

    def _purses(self, entry: Entry, limits: Limits) -> list[tuple[tuple[int, str], int, str]]:
        for old in [key for key in self._spent if key[0] < entry.day]:
            del self._spent[old]
        share = limits.user_micro_usd if entry.account else 0
        return [
            ((entry.day, ""), limits.day_micro_usd, "day"),
            ((entry.day, entry.account or "-"), share, "user"),
        ]


class RedisLedger:
    """Counts for all processes together, in one script a call.

    Args:
        guarded: Redis; while it is down its breaker refuses at once.
        purse: What is counted here; beside its keys in Redis are those of others.
    """

    def __init__(self, guarded: GuardedRedis, purse: Purse = Purse.USERS) -> None:
        scripts = files("mesh.models")
        # On a cluster a script touches one slot: all models' counts, since they share the day's money.
        self._prefix = f"{{{purse}}}" if guarded.sharded else purse.value
        self._reserve = guarded.script(scripts.joinpath("reserve.lua").read_text("utf-8"))
        self._settle = guarded.script(scripts.joinpath("settle.lua").read_text("utf-8"))

    async def reserve(self, entry: Entry, limits: Limits) -> Verdict:
        """As the port says."""
        share = limits.user_micro_usd if entry.account else 0
        arguments = (
            round(entry.at * 1000),
            limits.requests_per_minute,
            limits.tokens_per_minute,
            entry.tokens,
            entry.micro_usd,
            limits.day_micro_usd,
            share,
            int(entry.spent is True),
            *((entry.spent.everybody, entry.spent.account) if isinstance(entry.spent, Spent) else (-1, -1)),
            entry.calls,
            int(limits.user_micro_usd > 0),
        )
        keys = self._keys(entry)
        outcome, milliseconds = await self._reserve(keys, arguments)
        match outcome.decode():
            case "ok":
                return Verdict()
            case "wait":
                return Verdict(wait=int(milliseconds) / 1000)
            case "unknown":
                return Verdict(unknown=True)
            case forbidden:
                return Verdict(forbidden_by=forbidden)

    async def settle(self, entry: Entry, tokens: int, micro_usd: int, calls: int = 1) -> None:
        """As the port says."""
        back = (entry.tokens - tokens, entry.micro_usd - micro_usd, entry.calls - calls)
        await self._settle(self._keys(entry)[:-1], back)

    def _keys(self, entry: Entry) -> tuple[str, ...]:
        return _keys(self._prefix, entry.model, entry.day, entry.account)


class SharedLedger:
    """Counts in Redis, and in this process while Redis is down: limits then hold for each process alone.

    Args:
        shared: The ledger in Redis.
    """

    def __init__(self, shared: Ledger) -> None:
        self._shared = shared
        self._own = LocalLedger()

    async def reserve(self, entry: Entry, limits: Limits) -> Verdict:
        """As the port says."""
        try:
            return await self._shared.reserve(entry, limits)
        except DOWN:
            return await self._own.reserve(entry, limits)

    async def settle(self, entry: Entry, tokens: int, micro_usd: int, calls: int = 1) -> None:
        """As the port says; what can't be corrected stays as estimated."""
        try:
            await self._shared.settle(entry, tokens, micro_usd, calls)
        except DOWN:
            await self._own.settle(entry, tokens, micro_usd, calls)


@lru_cache(maxsize=1024)
def _keys(prefix: str, model: str, day: int, account: str) -> tuple[str, ...]:
    # A user's id is nobody's business in Redis.
    digest = hashlib.sha256(account.encode()).hexdigest()[:16] if account else "-"
    spent = f"{prefix}:spent:{day}"
    return f"{prefix}:{model}:bucket", spent, f"{spent}:{digest}", f"{prefix}:told:{day}"
