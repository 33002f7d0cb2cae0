"""The answer of a scan, begun together with its rules: one call to Rules instead of two.

Rules are free and an answer may cost money, so they stay two stages with results of their own. Where the rules needn't
be stored before the answer is paid for, the stage `rules` begins the call and takes what comes first, and the stage
`answer` reads on. Everywhere else each asks for its own part, as it does with a Rules of an earlier release.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeAlias

from mesh.concurrency.fair_slots import FairSlots
from mesh.errors import Unimplemented
from scan_svc.mirrors.rules import Answer, MatchedRules
from scan_svc.mirrors.vision import Classification, Usage
from scan_svc.pipeline.interfaces import Rules
from scan_svc.scans import Scan

Events: TypeAlias = AsyncGenerator[MatchedRules | str | Usage | Answer, None]


class Advice:
    """What lets the answer of one scan begin with its rules.

    Args:
        rules: The Rules service.
        room: For answers. One that was begun keeps its place until it is read to its end or given up.
    """

    def __init__(self, rules: Rules, room: FairSlots) -> None:
        self._rules = rules
        self._room = room
        self._call: Events | None = None

    @property
    def begun(self) -> bool:
        """Whether the answer is being written, and hasn't been taken by `rest`."""
        return self._call is not None

    async def begin(self, scan: Scan, found: Classification, deadline: float) -> MatchedRules | None:
        """The rules, and the answer is begun; None if it can't be: there is no room for it, or Rules can't do both.

        Args:
            scan: The scan.
            found: What the photo shows.
            deadline: Seconds for both together.

        Raises:
            EcoError: There are no rules; nothing was paid.
        """
        if not self._room.free(scan.user_id, batch=scan.batch):
            return None
        call = self._both(scan, found, deadline)
        try:
            matched = await anext(call)
        except Unimplemented:
            return None
        if not isinstance(matched, MatchedRules):
            await call.aclose()
            raise AssertionError("Rules began without rules")
        self._call = call
        return matched

    def rest(self) -> Events | None:
        """The answer, as `Rules.compose` writes one, to be closed by who takes it; None if none was begun."""
        call, self._call = self._call, None
        return call

    async def give_up(self) -> None:
        """Ends the call, if one was begun and not taken."""
        if call := self._call:
            self._call = None
            await call.aclose()

    async def _both(self, scan: Scan, found: Classification, deadline: float) -> Events:
        async with (
            self._room.slot(scan.user_id, batch=scan.batch),
            aclosing(self._rules.advise(scan, found, deadline)) as events,
        ):
            async for event in events:
                yield event
