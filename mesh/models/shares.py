"""Shares of the limits, taken for a while: a process that makes many calls asks Redis once for several of them.

What was taken counts as used for everybody from that moment, so no limit is exceeded. What is left goes back after a
few seconds; until then other processes may be refused what lies here: a cap is used up to within one share a process.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace

from mesh.models.ledger import Entry, Ledger, Limits, Verdict
from mesh.redis import DOWN

_SECONDS = 5.0
_PARTS = 20  # one share is a twentieth of any limit at most

# A model, a day, and an account where accounts are limited.
_Key = tuple[str, int, str]


@dataclass(slots=True)
class _Share:
    """What this process holds of one model's limits.

    Attributes:
        taken: All that was asked for, as one entry; None if nothing is held.
        calls, tokens, micro_usd: What is left of it. Tokens and money may be negative: calls took more than estimated.
        asked: Calls asked for the last time.
        lock: Held by who asks for more.
        users: Who is here: as long as somebody is, the share isn't forgotten.
        timer: Gives back what is left.
    """

    taken: Entry | None = None
    calls: int = 0
    tokens: int = 0
    micro_usd: int = 0
    asked: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    timer: asyncio.TimerHandle | None = None

    def draw(self, entry: Entry) -> bool:
        """Takes a call out, if it is in."""
        if self.calls < 1 or self.tokens < entry.tokens or self.micro_usd < entry.micro_usd:
            return False
        self._add(-1, -entry.tokens, -entry.micro_usd)
        return True

    def lacking(self, entry: Entry) -> Entry:
        """What has to be asked for beside what calls left that used less than their estimates."""
        return replace(
            entry, tokens=max(0, entry.tokens - self.tokens), micro_usd=max(0, entry.micro_usd - self.micro_usd)
        )

    def put(self, more: Entry) -> None:
        """Adds what was taken."""
        before = self.taken or replace(more, tokens=0, micro_usd=0, calls=0)
        self.taken = replace(
            before,
            tokens=before.tokens + more.tokens,
            micro_usd=before.micro_usd + more.micro_usd,
            calls=before.calls + more.calls,
        )
        self._add(more.calls, more.tokens, more.micro_usd)

    def correct(self, tokens: int, micro_usd: int) -> None:
        """Adds what a call didn't use of its estimate."""
        self._add(0, tokens, micro_usd)

    def _add(self, calls: int, tokens: int, micro_usd: int) -> None:
        self.calls += calls
        self.tokens += tokens
        self.micro_usd += micro_usd


class LeasedLedger:
    """Counts in shares of another ledger.

    The first call of a while asks for itself alone, each further question for twice as many as the last one. So a
    process that makes few calls holds next to nothing, and near a limit each call is asked for by itself.

    Args:
        shared: The ledger of all processes; raises one of `DOWN` while it can't be reached.
        seconds: How long a share is held.
    """

    def __init__(self, shared: Ledger, seconds: float = _SECONDS) -> None:
        self._shared = shared
        self._seconds = seconds
        self._by_account = True
        self._shares: dict[_Key, _Share] = {}
        self._returning = set[asyncio.Task[None]]()

    async def reserve(self, entry: Entry, limits: Limits) -> Verdict:
        """As the port says."""
        self._by_account = limits.user_micro_usd > 0
        entry = self._counted(entry)
        if _most(entry, limits) < 2:  # a share would be a single call: what it leaves is everybody's at once
            return await self._shared.reserve(entry, limits)
        key = _key(entry)
        share = self._shares.setdefault(key, _Share())
        if share.draw(entry):
            return Verdict()
        share.users += 1
        try:
            async with share.lock:
                return Verdict() if share.draw(entry) else await self._ask(share, entry, limits)
        finally:
            share.users -= 1
            self._forget_if_idle(key, share)

    async def settle(self, entry: Entry, tokens: int, micro_usd: int, calls: int = 1) -> None:
        """As the port says; what comes back can be taken by the next call here."""
        entry = self._counted(entry)
        share = self._shares.get(_key(entry))
        if share and share.taken:
            share.correct(entry.tokens - tokens, entry.micro_usd - micro_usd)
        else:
            await self._shared.settle(entry, tokens, micro_usd, calls)

    async def aclose(self) -> None:
        """Gives everything back, if the shared ledger can be reached."""
        for key in list(self._shares):
            self._give_back(key)
        while self._returning:
            await asyncio.wait(self._returning)

    def _counted(self, entry: Entry) -> Entry:
        """An entry as it is counted: without its account where accounts have no cap."""
        return entry if self._by_account else replace(entry, account="")

    async def _ask(self, share: _Share, entry: Entry, limits: Limits) -> Verdict:
        many = share.lacking(_several(entry, limits, 2 * share.asked))
        verdict = await self._shared.reserve(many, limits)
        if many.calls > 1 and (verdict.forbidden_by or verdict.wait):
            many = share.lacking(entry)
            verdict = await self._shared.reserve(many, limits)
        if verdict == Verdict():
            share.asked = many.calls
            share.put(many)
            share.draw(entry)
            if share.timer is None:
                loop = asyncio.get_running_loop()
                share.timer = loop.call_later(self._seconds, self._give_back, _key(entry))
        return verdict

    def _give_back(self, key: _Key) -> None:
        share = self._shares[key]
        taken, left = share.taken, (share.calls, share.tokens, share.micro_usd)
        if share.timer:
            share.timer.cancel()
        share.taken, share.timer, share.asked = None, None, 0
        share.calls = share.tokens = share.micro_usd = 0
        self._forget_if_idle(key, share)
        if taken and any(left):
            calls, tokens, micro_usd = left
            back = self._shared.settle(taken, taken.tokens - tokens, taken.micro_usd - micro_usd, taken.calls - calls)
            task = asyncio.create_task(_unless_down(back))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)

    def _forget_if_idle(self, key: _Key, share: _Share) -> None:
        if not share.users and share.taken is None and self._shares.get(key) is share:
            del self._shares[key]


async def _unless_down(write: Awaitable[None]) -> None:
    """What can't be given back stays counted as used."""
    try:
        await write
    except DOWN:
        return


def _several(entry: Entry, limits: Limits, calls: int) -> Entry:
    """An entry for so many calls like this one, of a part of each limit at most; for this one at least."""
    calls = max(1, min(calls, _most(entry, limits)))
    return replace(entry, tokens=calls * entry.tokens, micro_usd=calls * entry.micro_usd, calls=calls)


def _most(entry: Entry, limits: Limits) -> int:
    """How many calls like this one a share may hold."""
    caps = [
        (limits.requests_per_minute, 1),
        (limits.tokens_per_minute, entry.tokens),
        (limits.day_micro_usd, entry.micro_usd),
        (limits.user_micro_usd if entry.account else 0, entry.micro_usd),
    ]
    return min(cap // _PARTS // each for cap, each in caps if cap and each)


def _key(entry: Entry) -> _Key:
    return entry.model, entry.day, entry.account
