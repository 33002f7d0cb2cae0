"""Paths written otherwise than the protos do: none leads past the token, nor to what is internal.

Every path of every RPC, as REST and as gRPC, in each way to write it that some proxy or server reads as the same.
"""

from collections.abc import Callable, Mapping

import httpx2
import pytest

from tests.support.edge import http2
from tests.support.edge.access import ROWS
from tests.support.edge.envoy import Edge
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import bindings, grpc_path, rpcs

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPEN = "/v1/auth/guest"
GRPC = "application/grpc"
EMPTY_MESSAGE = bytes(5)
AT_ONCE = 50  # the edge allows a hundred streams
TARGETS = [
    *((binding.rpc, binding.verb, binding.path, binding.accept) for binding in bindings()),
    *((rpc.full_name, "POST", grpc_path(rpc), GRPC) for rpc in rpcs()),
]


def escaped(path: str) -> str:
    """Its first letter escaped, which changes nothing (RFC 3986, 6.2.2.2)."""
    return f"/%{ord(path[1]):02X}{path[2:]}"


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "two slashes first": lambda path: f"/{path}",
    "two slashes within": lambda path: path[0] + path[1:].replace("/", "//", 1),
    "a slash last": lambda path: f"{path}/",
    "an escaped slash last": lambda path: f"{path}%2F",
    "an escaped slash first": lambda path: f"/%2F{path[1:]}",
    "an escaped slash within": lambda path: path[0] + path[1:].replace("/", "%2f", 1),
    "a backslash": lambda path: path[0] + path[1:].replace("/", "\\", 1),
    "an escaped backslash": lambda path: path[0] + path[1:].replace("/", "%5C", 1),
    "an escaped letter": escaped,
    "escaped twice": lambda path: escaped(path).replace("%", "%25"),
    "capitals": lambda path: path.upper(),
    "a dot": lambda path: f"/.{path}",
    "a dot last": lambda path: f"{path}/.",
    "an escaped dot": lambda path: f"/%2e{path}",
    "a NUL last": lambda path: f"{path}%00",
    "a blank last": lambda path: f"{path}%20",
    "a parameter": lambda path: f"{path};a=b",
    "a question mark": lambda path: f"{path}?",
    "a fragment": lambda path: f"{path}#{OPEN}",
    "the open one first": lambda path: f"{OPEN}/..{path}",
    "the open one first, escaped": lambda path: f"{OPEN}/%2e%2e/%2e%2e/%2e%2e{path}",
    "the open one first, slash escaped": lambda path: f"{OPEN}%2f..%2f..%2f..{path}",
    "the open one as a parameter": lambda path: f"{path};{OPEN}",
    "the open one as a query": lambda path: f"{path}?{OPEN}",
    "health first": lambda path: f"/healthz/..{path}",
}
# What another proxy would take for the path, the verb or the caller.
MISLEADING = {
    "x-original-url": OPEN,
    "x-rewrite-url": OPEN,
    "x-http-method-override": "GET",
    "x-forwarded-user": "user-2",
    "eco2-user-id": "user-2",
    "eco2-services": "eco2.scan.v1.OperationsService",
}


def requests(spelling: str, token: str | None) -> list[tuple[list[tuple[str, str]], bytes]]:
    """A request for each target, its path spelt so; each says which it is."""
    made = []
    for number, (_, verb, path, accept) in enumerate(TARGETS):
        headers = {
            **{":method": verb, ":scheme": "http", ":authority": "edge", ":path": SPELLINGS[spelling](path)},
            **{"accept": accept, "x-number": str(number), **MISLEADING},
        }
        if token:
            headers["authorization"] = f"Bearer {token}"
        if accept == GRPC:
            headers |= {"content-type": GRPC, "te": "trailers"}
        body = EMPTY_MESSAGE if accept == GRPC else b"{}" if verb in {"POST", "PUT"} else b""
        made.append((list(headers.items()), body))
    return made


def refused(response: http2.Response) -> bool:
    """Whether the edge said no, as a fault of the client's."""
    status = response.headers.get("grpc-status")
    return response.status in {400, 401, 404} if status is None else status in {"3", "12", "16"}


async def reached(spelling: str, token: str | None, mesh: FakeMesh, edge: Edge) -> list[tuple[str, str | None]]:
    """Which RPCs the requests reached, as which user. All others were refused."""
    asked, responses = requests(spelling, token), list[http2.Response]()
    async with http2.connected(edge.port) as connection:
        while len(responses) < len(asked):
            responses += await http2.exchange(connection, asked[len(responses) :][:AT_ONCE])
    calls = {int(str(call.metadata["x-number"])): call for call in mesh.calls}
    for number, (target, response) in enumerate(zip(TARGETS, responses, strict=True)):
        assert refused(response) != (number in calls), (target, response)
    return [(call.rpc, str(call.metadata.get("eco2-user-id", ""))) for call in calls.values()]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_leads_past_the_token(spelling: str, mesh: FakeMesh, edge: Edge) -> None:
    """Whoever has none is refused as by the plain path; only what is open may be open in other spellings, too."""
    for rpc, user in await reached(spelling, None, mesh, edge):
        assert ROWS[rpc].access.is_open, rpc
        assert not user


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_leads_to_what_is_internal(spelling: str, mesh: FakeMesh, edge: Edge) -> None:
    """Nor does any make somebody else of the caller."""
    for rpc, user in await reached(spelling, edge.issuer.token(), mesh, edge):
        assert ROWS[rpc].access.is_public, rpc
        assert user == "user-1" or (not user and ROWS[rpc].access.is_open), rpc


@pytest.mark.parametrize("address", ["http://edge", "http://v1@edge", "http://edge:80/healthz/.."])
async def test_a_whole_address_is_its_path(address: str, mesh: FakeMesh, edge: Edge, rest: httpx2.AsyncClient) -> None:
    """As HTTP/1.1 writes it to proxies."""
    for token, status in ((rest.headers["Authorization"], 200), ("", 401)):
        target = f"{address}/v1/characters".encode()
        response = await rest.get("/", headers={"Authorization": token}, extensions={"target": target})
        assert response.status_code == status
    assert [call.metadata["eco2-user-id"] for call in mesh.calls] == ["user-1"]
