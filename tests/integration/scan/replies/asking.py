"""A scan whose answer leaves a question open, and how a reply to it is refused."""

from collections.abc import Awaitable

import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from tests.integration.scan.client import Client
from tests.support.scan.peer_servicers import Peers

QUESTION = "투명한 병인가요?"
SEOUL = {"latitude": 37.5636, "longitude": 126.9084}


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, Reason]:
    """With which code and reason a call is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), from_rpc_error(refused.value, "scan").reason


async def asked_of(client: Client, peers: Peers) -> scan_pb2.Scan:
    """A finished scan of this client whose answer leaves a question open."""
    peers.asks = (QUESTION,)
    return await client.finished(await client.started(location=SEOUL))
