"""Rewards and collections in PostgreSQL.

A scan's reward and the character it brings are written by one statement, so by one transaction, together with those of
scans that are evaluated at the same time. The primary keys decide every race: one reward a scan and one more for its
correction, one row a user and character. The only updates: a refusal for an open question becomes a grant when a later
evaluation of the same scan earns a character, and so does any refusal of a corrected scan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from character_svc.rewards import Decision, MatchReason, OwnedCharacter, Reward, RewardOutcome, Verdict, to_reward
from mesh.concurrency.group_commit import GroupCommit
from mesh.errors import NotFound
from mesh.postgres import Queries
from mesh.reasons import Reason


@dataclass(frozen=True, slots=True, eq=False)
class _Evaluation:
    """One evaluation of a scan; two of the same scan are two."""

    scan_id: UUID
    user_id: str
    decision: Decision


class RewardStore:
    """The rewards of scans, and the characters users own.

    Args:
        pool: Connections to the database.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("character_svc")
        self._records = GroupCommit(self._record, "record_rewards")

    async def evaluate(self, scan_id: UUID, user_id: str, decision: Decision, *, corrected: bool = False) -> Reward:
        """Grants what a scan earns, or finds what its first evaluation granted.

        Args:
            scan_id: The scan; also the idempotency key.
            user_id: Whose scan.
            decision: What it earns. Ignored if the scan was evaluated before, whatever the result; but a scan that was
                refused as INSUFFICIENT may earn a character later.
            corrected: Whether the category is what the user says: then a scan that was evaluated as something else may
                earn another character, once.

        Raises:
            NotFound: The scan was evaluated for another user.
        """
        evaluation = _Evaluation(scan_id, user_id, decision)
        first = await self._records.write(evaluation, evaluation)
        if first is not None:
            return to_reward(decision, first=first)
        earlier = await self._find("find_reward", scan_id, user_id)
        same = to_reward(decision, first=earlier.outcome is RewardOutcome.GRANTED) == earlier
        if same or not corrected:
            return earlier
        return await self._correct(scan_id, user_id, decision)

    async def list_owned(self, user_id: str) -> list[OwnedCharacter]:
        """A user's collection, first earned first."""
        rows = await self._pool.fetch(self._sql["list_owned"], user_id)
        return [OwnedCharacter(*row) for row in rows]

    async def _record(self, batch: Sequence[_Evaluation]) -> Mapping[_Evaluation, bool]:
        """Records first evaluations; tells of each that was one whether it brought the character."""
        by_scan: dict[UUID, _Evaluation] = {}
        for one in batch:
            by_scan.setdefault(one.scan_id, one)
        decisions = [one.decision for one in by_scan.values()]
        rows = await self._pool.fetch(
            self._sql["record_rewards"],
            list(by_scan),
            [one.user_id for one in by_scan.values()],
            [decision.verdict for decision in decisions],
            [decision.character_id for decision in decisions],
            [decision.match for decision in decisions],
        )
        return {by_scan[row["scan_id"]]: row["first"] for row in rows}

    async def _correct(self, scan_id: UUID, user_id: str, decision: Decision) -> Reward:
        """Grants what a scan earns as what its user says that it is, or finds what it has earned so before."""
        recorded = await self._pool.fetchrow(
            self._sql["record_corrected_reward"],
            scan_id,
            user_id,
            decision.verdict,
            decision.character_id,
            decision.match,
        )
        if recorded is not None or decision.verdict is not Verdict.EARNED:
            return to_reward(decision, first=recorded is not None and recorded["first"])
        return await self._find("find_corrected_reward", scan_id, user_id)

    async def _find(self, query: str, scan_id: UUID, user_id: str) -> Reward:
        # A second statement: the snapshot of the first doesn't contain the row that was inserted meanwhile.
        row = await self._pool.fetchrow(self._sql[query], scan_id, user_id)
        if row is None:
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
        match = MatchReason(row["match_reason"]) if row["match_reason"] else None
        return to_reward(Decision(Verdict(row["verdict"]), row["character_id"], match), first=row["first"])
