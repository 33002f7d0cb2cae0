"""Who is let in at the services' own ports when they ask for certificates: every RPC, for everybody who might try.

Without certificates whoever reaches a port is anybody, so such a port is for the loopback address alone. What is
expected stands in `tests/support/edge/access.py`, apart from the table that the services go by.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc

from local.stack.background import running
from mesh.grpc.certificates import expecting
from tests.e2e.authorization.conftest import People
from tests.support.edge.access import ROWS, callers
from tests.support.edge.calls import Edge, called
from tests.support.edge.rest_contract import grpc_path, rpcs, served_by
from tests.support.http import http_client
from tests.support.mutual_tls import MutualTls
from tests.support.stack_folders import stack_folder

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

CERTIFIED = ("edge", "scan", "vision", "rules", "character", "auth", "operator", "operators-edge", "newcomer")
SPEAK_FOR_USERS = ("edge", "operators-edge", "scan")
USER = "eco2-user-id"

Dial = Callable[[MethodDescriptor, str], grpc.aio.Channel]


@pytest.fixture(scope="module")
def stack() -> Iterator[Mapping[str, str]]:
    """A stack whose services ask for certificates."""
    with stack_folder() as folder, running(folder, tls=True) as variables:
        yield {**variables, "VAR": str(folder)}


@pytest.fixture(scope="module")
def authority(stack: Mapping[str, str]) -> MutualTls:
    """Whose certificates they take."""
    return MutualTls(Path(stack["VAR"]) / "tls")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dial(stack: Mapping[str, str], authority: MutualTls) -> AsyncIterator[Dial]:
    """Channels to the service of an RPC, with the certificate of a caller."""
    channels: dict[tuple[str, str], grpc.aio.Channel] = {}

    def dial(rpc: MethodDescriptor, caller: str) -> grpc.aio.Channel:
        service = rpc.containing_service.full_name
        if (service, caller) not in channels:
            channels[service, caller] = authority.channel(caller, target(stack, rpc), service)
        return channels[service, caller]

    yield dial
    for channel in channels.values():
        await channel.close()


def target(stack: Mapping[str, str], rpc: MethodDescriptor) -> str:
    return stack[f"ECO2_{served_by(rpc).upper()}_TARGET"]


@pytest.mark.parametrize("rpc", list(rpcs()), ids=grpc_path)
async def test_only_its_callers_may_call_it(rpc: MethodDescriptor, dial: Dial, edge: Edge, people: People) -> None:
    """Nor may others speak for users. Through the edge strangers, others and the owner meet what they always do."""
    row, allowed = ROWS[rpc.full_name], callers(rpc.full_name)
    request = row.request(people.things)
    assert allowed, "nobody calls it"
    for caller in CERTIFIED:
        if caller not in allowed:
            outcome = await called(dial(rpc, caller), rpc, request, {USER: people.owner_id})
            assert outcome.reason == "CALLER_NOT_ALLOWED", caller
            assert people.owner_id.encode() not in outcome.content
        elif caller not in SPEAK_FOR_USERS:
            spoken = await called(dial(rpc, caller), rpc, request, {USER: people.owner_id})
            assert spoken.reason == "CALLER_NOT_BELIEVED", caller
    other = next(iter(people.others.values()))
    unsigned = await edge.over_grpc(rpc, request, {})
    assert unsigned.reason == (row.other if row.access.is_open else "UNAUTHENTICATED")
    signed_in = await edge.over_grpc(rpc, request, {"Authorization": other})
    assert signed_in.reason == (row.other if row.access.is_public else "NOT_IMPLEMENTED")
    for caller in sorted(allowed):
        headers = {USER: people.owner_id} if caller in SPEAK_FOR_USERS else {}
        outcome = await called(dial(rpc, caller), rpc, request, headers)
        assert outcome.reason == row.owner, caller


async def test_the_operators_edge_calls_with_a_certificate_of_its_own(stack: Mapping[str, str]) -> None:
    """An operator's token opens OperationsService, which the public edge's certificate doesn't."""
    async with http_client(base_url=stack["ECO2_OPERATORS_URL"], timeout=20) as operators:
        for token, status in ((stack["ECO2_OPERATOR_TOKEN"], 200), (stack["ECO2_TOKEN"], 403)):
            headers = {"Authorization": f"Bearer {token}"}
            response = await operators.post("/eco2.scan.v1.OperationsService/GetQueueStats", json={}, headers=headers)
            assert response.status_code == status, response.text


def contents(file: str) -> bytes:
    return Path(file).read_bytes()


@pytest.mark.parametrize("service", ["SCAN", "VISION", "RULES", "CHARACTER", "AUTH", "RATELIMIT"])
async def test_who_has_no_certificate_of_ours_isnt_heard(
    service: str, stack: Mapping[str, str], authority: MutualTls, tmp_path: Path
) -> None:
    """In plain text, with none, or with one of another authority, however it calls itself: there is no connection."""
    options = expecting(f"eco2.{service.lower()}.v1.AnyService")
    ours, another = authority.files("edge"), MutualTls(tmp_path / "tls").files("edge")
    root, key, chain = (contents(file) for file in (ours.ca, another.key, another.cert))
    for credentials in (
        grpc.ssl_channel_credentials(root),
        grpc.ssl_channel_credentials(root, key, chain),
        None,
    ):
        address = stack[f"ECO2_{service}_TARGET"]
        dialled = (
            grpc.aio.secure_channel(address, credentials, options)
            if credentials
            else grpc.aio.insecure_channel(address)
        )
        async with dialled as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Check(health_pb2.HealthCheckRequest(), timeout=20)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
