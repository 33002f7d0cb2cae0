"""What each client was told, in the order in which it was told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One state of a scan, as a client read it.

    Attributes:
        scan_id: Of which scan.
        call: By which call; the events of one stream share it.
        operation: Such as "get", "watch", "list".
        began: When the call was sent, in seconds of the monotonic clock.
        at: When this was read.
        event: The kind of a watch's event; empty elsewhere.
        state: Such as "STATE_RUNNING".
        version: The scan's version.
        percent: The scan's progress.
        answered: It has an answer.
        rewarded: It has a reward.
        reason: Why it failed, if it has.
    """

    scan_id: str
    call: int
    operation: str
    began: float
    at: float
    event: str = ""
    state: str
    version: int
    percent: int
    answered: bool = False
    rewarded: bool = False
    reason: str = ""

    @property
    def terminal(self) -> bool:
        """Whether the scan had ended."""
        return self.state in TERMINAL

    @property
    def attempt(self) -> int:
        """Which lease of the scan this is from: each begins at the next ten thousand versions."""
        return self.version // 10_000


TERMINAL = frozenset({"STATE_SUCCEEDED", "STATE_FAILED", "STATE_CANCELLED", "STATE_EXPIRED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call ended.

    Attributes:
        call: Which.
        operation: Such as "create", "put", "delete".
        scan_id: Of which scan; empty before there is one.
        began: When it was sent.
        at: When it had ended.
        status: The HTTP status, or the gRPC code's name; "cut" when no whole answer came.
        reason: The ErrorInfo's reason; empty when there is none.
        retry_after: Whether the client was told when to come back.
        body: The beginning of an error's body.
    """

    call: int
    operation: str
    scan_id: str
    began: float
    at: float
    status: str
    reason: str = ""
    retry_after: bool = False
    body: str = ""

    @property
    def failed(self) -> bool:
        """Whether the server refused it."""
        return self.status not in ("cut", "OK") and not self.status.startswith("2")


class JobKind(StrEnum):
    """What users ask for beside scans."""

    SHEET = "sheet"
    PACKED = "zip"
    CLIP = "clip"
    TABLE = "history"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedJob:
    """A job that was accepted.

    Attributes:
        kind: What it does.
        request_id: What it was asked with; empty for an archive, which has none.
        shown: The number of the photo of each row, photo or scene; None of a row that has no address.
        sent: The sheet that was uploaded.
        least: So many scans are in the history at least.
        spoilt: Its file can't be read: it must fail.
    """

    kind: JobKind
    request_id: str = ""
    shown: Sequence[int | None] = ()
    sent: bytes = b""
    least: int = 0
    spoilt: bool = False


@dataclass(slots=True)
class History:
    """Everything one client was told.

    Attributes:
        client: Whose it is.
        entries: Readings and outcomes, in order.
        accepted: Ids of scans that were created for it, by its request_id; more than one is a fault.
        started: Scans whose start was acknowledged.
        deleting: Scans that it asked to delete.
        deleted: When the deletion of a scan was acknowledged.
        cancelled: Scans that it asked to cancel.
        spoilt: Scans whose photo it had spoilt: these may fail.
        secrets: What verifies the webhooks of a scan.
        jobs: Jobs that were accepted, by id.
        files: What they have made, as it was fetched.
    """

    client: str
    entries: "list[Reading | Outcome]" = field(default_factory=list)
    accepted: dict[str, set[str]] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    deleting: set[str] = field(default_factory=set)
    deleted: dict[str, float] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    spoilt: set[str] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, AskedJob] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def readings(self) -> Iterator[Reading]:
        """What it read."""
        return (entry for entry in self.entries if isinstance(entry, Reading))

    @property
    def outcomes(self) -> Iterator[Outcome]:
        """How its calls ended."""
        return (entry for entry in self.entries if isinstance(entry, Outcome))

    @property
    def scan_ids(self) -> set[str]:
        """Its scans."""
        return {scan_id for ids in self.accepted.values() for scan_id in ids}


def excerpt(history: History, scan_id: str, origin: float) -> list[str]:
    """A client's history of one scan, as lines for a person."""
    return [_line(entry, origin) for entry in history.entries if entry.scan_id == scan_id]


def _line(entry: Reading | Outcome, origin: float) -> str:
    when = f"{entry.began - origin:7.2f} - {entry.at - origin:7.2f}  #{entry.call:<5}{entry.operation:<7}"
    if isinstance(entry, Outcome):
        return f"{when} {entry.status} {entry.reason} {entry.body[:160]}".rstrip()
    marks: Sequence[str] = [word for word, there in (("answer", entry.answered), ("reward", entry.rewarded)) if there]
    state = entry.state.removeprefix("STATE_")
    return f"{when} {entry.event:<10} {entry.version:>6} {entry.percent:>3} % {state} {' '.join(marks)} {entry.reason}"
