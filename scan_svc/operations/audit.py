"""What operators change, and who it was: a log line each, `operator` in clear where users have pseudonyms."""

from typing import Any

import structlog

from mesh.grpc.identity import named_user

_log = structlog.get_logger("operations")

# The operators' edge names them; a certificate says no more than that somebody is one.
_UNNAMED = "unnamed, by certificate or on this machine"


def note(context: Any, change: str, **what: object) -> None:
    """Writes down what an operator has changed.

    Args:
        context: The `grpc.aio.ServicerContext` of their call.
        change: What was done.
        what: To which.
    """
    _log.info(change, operator=named_user(context.invocation_metadata() or ()) or _UNNAMED, **what)
