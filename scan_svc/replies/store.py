"""Replies in PostgreSQL, and who is at work on one.

Transaction contract: a reply and what it made of its scan are one statement, which only the holder of the scan's reply
lease can make. A lease is reserved before anything is paid for, renewed while its holder is at work, and goes with the
reply. Every write carries its token: a holder that was frozen for longer than its lease changes nothing.
"""

from dataclasses import dataclass

import asyncpg
import msgspec

from mesh.postgres import Queries
from scan_svc.mirrors.places import Place
from scan_svc.mirrors.rules import Answer, DisposalRule, Verdict
from scan_svc.mirrors.vision import Classification
from scan_svc.results import Results
from scan_svc.rows import to_json
from scan_svc.scans import Scan, StageRun

LEASE_SECONDS = 15.0
# How long the holder of a lease that has expired is given to come back, once somebody else wants it.
CONTEST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a user replied, and what came of it.

    Attributes:
        text: The reply.
        understood: Whether it settled anything.
        message: The sentence that the user got about it.
        question: The question that counts from then on.
        verdict: What it says of the classification.
        may_learn: Whether that may be kept as a label of the photo.
    """

    text: str
    understood: bool
    message: str
    question: str = ""
    verdict: Verdict = Verdict.UNSPECIFIED
    may_learn: bool = False


class Draft(msgspec.Struct, frozen=True):
    """An answer that was paid for, without the reward.

    Attributes:
        found: The classification, with what the user said worked in.
        question: The question it answers.
        region: The region it holds for.
        message: A sentence for the user.
        rules: What it stands on.
        answer: The answer.
        places: Where to take it; None if that wasn't asked.
        verdict: What the reply says of the classification before.
    """

    found: Classification
    question: str
    region: str
    message: str
    rules: tuple[DisposalRule, ...]
    answer: Answer
    places: tuple[Place, ...] | None
    verdict: Verdict = Verdict.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class ReplyLease:
    """The right to work on one reply to a scan.

    Attributes:
        scan_id: The scan.
        token: What every write carries.
        attempt: Which try of this reply it is, from 1.
        draft: What an earlier try of the same reply has paid for.
        traceparent: The trace that created the scan; empty if that isn't known.
    """

    scan_id: str
    token: int
    attempt: int
    draft: Draft | None
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose reply to a scan is at work; `request_id` is empty if it has none."""

    request_id: str
    text: str


class ReplyStore:
    """The replies to all scans.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.replies")

    async def find(self, scan_id: str, request_id: str) -> Reply | None:
        """The reply that was made under a request_id before."""
        row = await self._pool.fetchrow(self._sql["find_reply"], scan_id, request_id)
        return Reply(row["reply"], row["understood"], row["message"]) if row else None

    async def last_question(self, scan_id: str) -> str | None:
        """The question that counts since the last reply that was understood; None if none was."""
        question: str | None = await self._pool.fetchval(self._sql["last_question"], scan_id)
        return question

    async def reserve(self, read: Scan, text: str, request_id: str) -> ReplyLease | None:
        """Reserves a scan for one reply; None if somebody else holds it, or it has changed since it was read."""
        row = await self._pool.fetchrow(
            self._sql["reserve_reply"], read.scan_id, request_id, text, read.version, LEASE_SECONDS, CONTEST_SECONDS
        )
        if row is None:
            return None
        draft = msgspec.json.decode(row["draft"], type=Draft) if row["draft"] else None
        return ReplyLease(read.scan_id, row["token"], row["attempt"], draft, row["traceparent"])

    async def holder(self, scan_id: str) -> Holder | None:
        """Whose reply is at work; None if nobody's. Asking contests a lease that wasn't renewed in time."""
        row = await self._pool.fetchrow(self._sql["contest_reply"], scan_id, CONTEST_SECONDS)
        return Holder(row["request_id"] or "", row["reply"]) if row else None

    async def renew(self, lease: ReplyLease) -> bool:
        """Keeps a lease; False if it is somebody else's by now."""
        held = await self._pool.fetchval(self._sql["renew_reply"], lease.scan_id, lease.token, LEASE_SECONDS)
        return held is not None

    async def release(self, lease: ReplyLease, draft: Draft | None = None) -> None:
        """Lets the next reply come; what was paid for stays for a repetition of this one."""
        kept = to_json(draft) if draft else None
        await self._pool.execute(self._sql["release_reply"], lease.scan_id, lease.token, kept)

    async def record_cost(self, scan_id: str, run: StageRun) -> None:
        """Records what a reply has cost that changed nothing."""
        await self._pool.execute(self._sql["record_reply_cost"], scan_id, to_json((run,)))

    async def keep(self, lease: ReplyLease, reply: Reply) -> bool:
        """Keeps a reply that changed nothing; False without the lease, or if the scan is gone."""
        return await self._written(
            lease, "keep_reply", reply.message, reply.question, reply.understood, *_verdict(reply)
        )

    async def apply(
        self,
        lease: ReplyLease,
        changes: Results,
        run: StageRun,
        region: str,
        reply: Reply,
        *,
        reward_due: bool = False,
        reward_outdated: bool = False,
    ) -> bool:
        """Stores what a reply made of a scan.

        Args:
            lease: The lease.
            changes: The results that it replaces; None leaves one as it is.
            run: What it took and cost.
            region: The scan's from now on.
            reply: The reply.
            reward_due: Whether the reward of what it has become is still to be evaluated, as a job.
            reward_outdated: Whether the scan's reward is for another category: it is gone until the new one is known.

        Returns:
            False without the lease, or if the scan is gone; nothing was stored then.
        """
        parts = {name: part for name, part in msgspec.structs.asdict(changes).items() if part is not None}
        if reward_outdated:
            parts.setdefault("reward", None)
        return await self._written(
            lease, "apply_reply", reply.message, reply.question, to_json(parts), to_json((run,)), region, reward_due,
            *_verdict(reply),
        )  # fmt: skip

    async def _written(self, lease: ReplyLease, query: str, *arguments: object) -> bool:
        if await self._pool.fetchval(self._sql[query], lease.scan_id, lease.token, *arguments) is not None:
            return True
        # A try before, whose commit was answered by silence, took the lease with it.
        stored: bool = await self._pool.fetchval(self._sql["holds_reply"], lease.scan_id, lease.token)
        return stored


def _verdict(reply: Reply) -> tuple[str | None, bool]:
    """What a reply says of the classification, None if nothing; and whether it may be kept as a label."""
    return None if reply.verdict is Verdict.UNSPECIFIED else reply.verdict.value, reply.may_learn
