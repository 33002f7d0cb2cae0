"""Who is let in where: every RPC of the protos, in every spelling, for everybody who might try.

What is expected stands in `tests/support/edge/access.py`. Who isn't the owner also says that they are, in headers that
only the edge may set.
"""

from dataclasses import dataclass

import pytest
from google.protobuf.descriptor import MethodDescriptor

from tests.e2e.authorization.conftest import People
from tests.support.edge.access import ROWS, Access
from tests.support.edge.calls import Edge, Outcome
from tests.support.edge.rest_contract import Binding, bindings, grpc_path, is_public, rpcs
from tests.support.edge.strangers import NOBODY

pytestmark = pytest.mark.asyncio(loop_scope="module")

RPCS = {rpc.full_name: rpc for rpc in rpcs()}


@dataclass(frozen=True, slots=True)
class Spelling:
    """An RPC as it is called: by gRPC, or by one of its paths."""

    rpc: MethodDescriptor
    binding: Binding | None

    def __str__(self) -> str:
        return str(self.binding) if self.binding else grpc_path(self.rpc)


SPELLINGS = [
    *(Spelling(rpc, None) for rpc in RPCS.values()),
    *(Spelling(RPCS[binding.rpc], binding) for binding in bindings()),
]


async def test_every_rpc_has_its_row() -> None:
    """Who adds one says who may call it; and what the protos give a path is what the edge serves."""
    assert set(ROWS) == set(RPCS)
    assert {name for name, row in ROWS.items() if row.access.is_public} == {
        name for name, rpc in RPCS.items() if is_public(rpc)
    }


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
async def test_only_who_may_is_let_in(spelling: Spelling, edge: Edge, people: People) -> None:
    """Strangers first, then other users, and last the owner, who would notice what the others had done."""
    row = ROWS[spelling.rpc.full_name]
    request = row.request(people.things)

    async def call(authorization: str | None, claimed: str = people.owner_id) -> Outcome:
        headers = {"Eco2-User-Id": claimed, **({} if authorization is None else {"Authorization": authorization})}
        if spelling.binding:
            return await edge.over_rest(spelling.binding, request, headers)
        return await edge.over_grpc(spelling.rpc, request, headers)

    for who, header in people.strangers.items():
        outcome = await call(header)
        assert outcome.reason == told_to_strangers(row.access, who, row.other), who
        assert not secrets(outcome, people, request.SerializeToString()), who
    for who, header in people.others.items():
        outcome = await call(header)
        assert outcome.reason == (row.other if row.access.is_public else "NOT_IMPLEMENTED"), who
        assert not secrets(outcome, people, request.SerializeToString()), who
    outcome = await call(people.owner, claimed="somebody-else")
    assert outcome.reason == (row.owner if row.access.is_public else "NOT_IMPLEMENTED")
    assert not row.names or secrets(outcome, people, b"")


def told_to_strangers(access: Access, who: str, otherwise: str) -> str:
    """What somebody without a good token is told."""
    if access is Access.OPEN or (access is Access.OPEN_OR_SIGNED_IN and who == NOBODY):
        return otherwise
    return "UNAUTHENTICATED"


def secrets(outcome: Outcome, people: People, asked: bytes) -> list[str]:
    """What of the owner's a response tells, apart from what was asked with."""
    own = [people.owner_id, people.things.scan_id, people.things.building.code]
    return [each for each in own if each.encode() in outcome.content and each.encode() not in asked]
