"""What is an outage, and what is a fault of ours that no waiting mends."""

import errno
import ssl

import asyncpg
import pytest
import redis.exceptions

from mesh import outages
from mesh.errors import EcoError, NotFound, Unavailable
from mesh.reasons import Reason


def postgres(state: str, severity: str = "ERROR") -> asyncpg.PostgresError:
    """An error as the server sends it, in a language we don't know."""
    error: asyncpg.PostgresError = asyncpg.PostgresError.new({"S": "오류", "V": severity, "C": state, "M": "…"})
    return error


OUTAGES: dict[str, tuple[BaseException, str]] = {
    "connection exception": (postgres("08006"), "postgres"),
    "from a pooler": (postgres("08P01"), "postgres"),
    "serialization failure": (postgres("40001"), "postgres"),
    "deadlock": (postgres("40P01"), "postgres"),
    "insufficient resources": (postgres("53000"), "postgres"),
    "disk full": (postgres("53100"), "postgres"),
    "out of memory": (postgres("53200"), "postgres"),
    "too many connections": (postgres("53300"), "postgres"),
    "a class of 53 nobody has a name for": (postgres("53999"), "postgres"),
    "lock not available": (postgres("55P03"), "postgres"),
    "cancelled by an operator": (postgres("57014"), "postgres"),
    "shutdown": (postgres("57P01", "FATAL"), "postgres"),
    "starting": (postgres("57P03", "FATAL"), "postgres"),
    "input/output error": (postgres("58030"), "postgres"),
    "a file is gone": (postgres("58P01"), "postgres"),
    "a quota is used up": (postgres("XX000"), "postgres"),
    "a page is damaged": (postgres("XX001"), "postgres"),
    "made a replica": (postgres("25006"), "postgres"),
    "file system read-only": (postgres("42501"), "postgres"),
    "idle for too long": (postgres("25P03", "FATAL"), "postgres"),
    "password just changed": (postgres("28P01", "FATAL"), "postgres"),
    "database being restored": (postgres("3D000", "FATAL"), "postgres"),
    "connection gone": (asyncpg.InterfaceError("connection is closed"), "postgres"),
    "pool gone": (asyncpg.InterfaceError("pool is closing"), "postgres"),
    "connection taken back": (asyncpg.InterfaceError("connection has been released back to the pool"), "postgres"),
    "connection in doubt": (asyncpg.InternalClientError("cannot switch to state 12"), "postgres"),
    "Redis full": (redis.exceptions.OutOfMemoryError("command not allowed"), "redis"),
    "Redis can't save": (redis.exceptions.ResponseError("MISCONF Redis is configured to save"), "redis"),
    "Redis a replica": (redis.exceptions.ReadOnlyError("You can't write"), "redis"),
    "Redis without replicas": (redis.exceptions.ResponseError("NOREPLICAS Not enough"), "redis"),
    "Redis loading": (redis.exceptions.BusyLoadingError("loading"), "redis"),
    "Redis cluster down": (redis.exceptions.ClusterDownError("CLUSTERDOWN"), "redis"),
    "Redis forgot a script": (redis.exceptions.NoScriptError("No matching script"), "redis"),
    "Redis gone": (redis.exceptions.ConnectionError("gone"), "redis"),
    "refused": (ConnectionRefusedError(), "store"),
    "silent": (TimeoutError(), "store"),
    "no route": (OSError(errno.EHOSTUNREACH, "No route to host"), "store"),
    "network down": (OSError(errno.ENETUNREACH, "Network is unreachable"), "store"),
    "both addresses of a name refused": (OSError("Multiple exceptions: [Errno 111] …, [Errno 111] …"), "store"),
    "certificate expired": (ssl.SSLCertVerificationError("certificate has expired"), "store"),
    "no descriptors left": (OSError(errno.EMFILE, "Too many open files"), "host"),
    "disk of this machine full": (OSError(errno.ENOSPC, "No space left on device"), "host"),
}
FAULTS: dict[str, BaseException] = {
    "a column that isn't there": postgres("42703"),
    "a table that isn't there": postgres("42P01"),
    "a NUL character": postgres("22021"),
    "a row twice": postgres("23505"),
    "a row too long for its index": postgres("54000"),
    "a transaction that failed before": postgres("25P02"),
    "an argument missing": asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed"),
    "an argument of the wrong type": asyncpg.DataError("invalid input for query argument $1"),
    "a type that Redis can't be sent": redis.exceptions.DataError("Invalid input of type: 'dict'"),
    "a file of ours missing": FileNotFoundError(errno.ENOENT, "No such file"),
    "a descriptor closed twice": OSError(errno.EBADF, "Bad file descriptor"),
    "a bug": ValueError("oops"),
}


@pytest.mark.parametrize(("error", "peer"), OUTAGES.values(), ids=OUTAGES.keys())
def test_an_outage_says_who_is_away_and_when_to_come_back(error: BaseException, peer: str) -> None:
    """Callers try again, and workers keep what they have."""
    outage = outages.from_exception(error)
    assert outage is not None
    assert (type(outage), outage.reason, outage.metadata["peer"]) == (Unavailable, Reason.UNAVAILABLE, peer)
    assert outage.retry_after


@pytest.mark.parametrize("error", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_of_ours_is_no_outage(error: BaseException) -> None:
    """Whoever waited it out would wait for ever."""
    assert outages.from_exception(error) is None


@pytest.mark.parametrize(
    ("error", "confined"),
    [
        (postgres("XX001"), True),
        (postgres("55P03"), True),
        (postgres("53100"), False),
        (postgres("XX000", "PANIC"), False),
        (ConnectionResetError(), False),
    ],
    ids=["a damaged page", "a lock", "a full disk", "a crash", "a lost answer"],
)
def test_what_concerns_some_rows_only_is_told_apart(error: BaseException, *, confined: bool) -> None:
    """After a crash nobody knows what was written, and with a full disk no part of a batch has better luck."""
    assert outages.is_confined(error) is confined


@pytest.mark.parametrize(
    ("error", "is_ours"),
    [
        (Unavailable(Reason.UNAVAILABLE, peer="s3"), True),
        (Unavailable(Reason.UNAVAILABLE, peer="postgres"), True),
        (Unavailable(Reason.UNAVAILABLE, peer="vision"), False),
        (Unavailable(Reason.MODEL_UNAVAILABLE), False),
        (NotFound(Reason.PHOTO_NOT_FOUND), False),
    ],
    ids=["photos", "database", "a peer that may have died of this scan", "a model", "no photo"],
)
def test_a_service_may_say_that_a_store_of_ours_is_away(error: EcoError, *, is_ours: bool) -> None:
    """That takes of a scan's time, and not of its tries."""
    assert outages.of_store(error) is is_ours


async def test_a_store_is_asked_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no outage is raised at once: asking again would change nothing."""
    monkeypatch.setattr("mesh.outages._PAUSE_SECONDS", 0.0)
    answers: list[Exception | str] = [
        ConnectionRefusedError(),
        postgres("57P01"),
        "stored",
        NotFound(Reason.SCAN_NOT_FOUND),
    ]

    async def ask() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await outages.until_available(ask) == "stored"
    with pytest.raises(NotFound):
        await outages.until_available(ask)
    assert not answers
