"""Writes that must reach the database: a stage's result may have been paid for."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from mesh import outages
from mesh.errors import EcoError, Internal
from mesh.observability import telemetry
from mesh.reasons import Reason
from scan_svc.jobs.leases import Fenced

_log = structlog.get_logger("execution")

T = TypeVar("T")


async def persist(write: Callable[[], Awaitable[T]], scan_id: str, stage: str) -> T:
    """Asks the database until it has answered.

    Args:
        write: Asks once.
        scan_id: For the log.
        stage: For the log.

    Raises:
        Fenced: The job has changed hands.
        EcoError: It can't be stored.
    """
    try:
        return await outages.until_available(write)
    except (Fenced, EcoError):
        raise
    except Exception as error:
        raise internal(error, scan_id, stage) from error


def internal(error: Exception, scan_id: str, stage: str) -> EcoError:
    """A fault of ours as the error that a stage fails with; logged, since users see only the trace's id."""
    _log.error("stage broke", scan_id=scan_id, stage=stage, exc_info=error)
    return Internal(Reason.INTERNAL, trace_id=telemetry.trace_id())
