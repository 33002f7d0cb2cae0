"""The operators' edge: who is let in, what gets through, and that users' requests lead nowhere near it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import yaml

from eco2.scan.v1 import operations_service_pb2 as pb
from local.stack.envoy import DESCRIPTORS, LUA, endpoints
from local.stack.operators import PAGE, TEMPLATE, configuration
from tests.support.edge.envoy import Edge, running
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.http import http_client
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATIONS = "/eco2.scan.v1.OperationsService"
SEARCH = f"{OPERATIONS}/SearchScans"


class Operators:
    """The edge beside the public one.

    Args:
        public: The public edge, whose issuer's tokens both believe.
        rest: A client of the operators' edge.
        mesh: What stands behind both.
    """

    def __init__(self, public: Edge, rest: httpx2.AsyncClient, mesh: FakeMesh) -> None:
        self.public, self.rest, self.mesh = public, rest, mesh

    async def call(self, path: str = SEARCH, body: object = None, **claims: Any) -> httpx2.Response:
        """Calls with a token of an operator, or with other claims."""
        token = self.public.issuer.token(**{"sub": "kim@duty", "scope": "openid operator", **claims})
        headers = {"Authorization": f"Bearer {token}"}
        return await self.rest.post(path, json=body or {}, headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operators(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Operators]:
    """One Envoy with both edges, as in the embedded stack."""
    services, port, fake = free_port(), free_port(), FakeMesh()

    def beside(config: dict[str, Any]) -> None:
        public = config["static_resources"]["listeners"][0]
        (jwt,) = [one for one in _filters(public) if one["name"] == "envoy.filters.http.jwt_authn"]
        provider = jwt["typed_config"]["providers"]["eco2"]
        edge = {
            "SCAN_ENDPOINTS": endpoints("127.0.0.1", [services]),
            "DESCRIPTOR_PATH": str(DESCRIPTORS),
            "LUA_PATH": str(LUA),
            "LOCAL_JWKS": json.dumps(provider["local_jwks"]),
            "REMOTE_JWKS": "null",
            "JWT_ISSUER": provider["issuer"],
            "JWT_AUDIENCE": provider["audiences"][0],
        }
        added = yaml.safe_load(configuration(edge, "127.0.0.1", port))["static_resources"]
        config["static_resources"]["listeners"] += added["listeners"]
        config["static_resources"]["clusters"] += added["clusters"]

    async with (
        running(tmp_path_factory.mktemp("edge"), services, beside) as public,
        fake.serving(services),
        http_client(base_url=f"http://127.0.0.1:{port}", timeout=10) as rest,
    ):
        yield Operators(public, rest, fake)


def _filters(listener: dict[str, Any]) -> list[dict[str, Any]]:
    (chain,) = listener["filter_chains"]
    filters: list[dict[str, Any]] = chain["filters"][0]["typed_config"]["http_filters"]
    return filters


async def test_an_operator_is_let_in_by_name(operators: Operators) -> None:
    """By scope or role; the service is told who it is, and by nobody else."""
    for claims in ({}, {"scope": "operator"}, {"scope": None, "roles": ["viewer", "operator"]}):
        operators.mesh.forget()
        response = await operators.call(body={"state": "STATE_FAILED", "page_size": 7}, **claims)
        assert (response.status_code, response.json()) == (200, {}), claims
        (call,) = operators.mesh.calls
        assert (call.rpc, call.request.page_size) == ("eco2.scan.v1.OperationsService.SearchScans", 7)
        assert call.metadata["eco2-user-id"] == "kim@duty"
        assert call.metadata["eco2-body-names"] == "state,page_size"
        assert call.seconds_left is not None


@pytest.mark.parametrize(
    ("claims", "status", "reason"),
    [
        ({"scope": None}, 403, "OPERATORS_ONLY"),
        ({"scope": "operators"}, 403, "OPERATORS_ONLY"),
        ({"scope": "pre-operator openid"}, 403, "OPERATORS_ONLY"),
        ({"scope": None, "roles": "operator"}, 403, "OPERATORS_ONLY"),
        ({"sub": None}, 403, "OPERATORS_ONLY"),
        ({"sub": "kim\nroot"}, 403, "OPERATORS_ONLY"),
        ({"exp": 1}, 401, "UNAUTHENTICATED"),
        ({"aud": "another"}, 403, "OPERATORS_ONLY"),
    ],
    ids=[
        "a user",
        "another scope",
        "part of a scope",
        "a role as text",
        "nobody",
        "a control character",
        "late",
        "for others",
    ],
)
async def test_nobody_else_is(operators: Operators, claims: dict[str, Any], status: int, reason: str) -> None:
    """Every user of the API has a token of the same issuer."""
    operators.mesh.forget()
    response = await operators.call(**claims)
    assert (response.status_code, response.json()["details"][0]["reason"]) == (status, reason)
    assert not operators.mesh.calls


async def test_without_a_token_there_are_the_pages_files_alone(operators: Operators) -> None:
    """Each of them, as what it is, and nothing may run there but them."""
    kinds = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for file in sorted(PAGE.iterdir()):
        response = await operators.rest.get("/" if file.name == "index.html" else f"/{file.name}")
        assert (response.status_code, response.content) == (200, file.read_bytes()), file.name
        assert response.headers["content-type"].startswith(kinds[file.suffix]), file.name
        assert "script-src 'self'" in response.headers["content-security-policy"]
    assert (await operators.rest.get("/settings.json")).json() == {"trace_url": ""}
    for path in (SEARCH, "/healthz/", "/v1/scans", "/eco2.scan.v1.ScanService/ListScans"):
        response = await operators.rest.post(path, json={})
        assert (response.status_code, response.json()["code"]) == (401, 16), path


async def test_an_operators_token_opens_operations_alone(operators: Operators) -> None:
    """Nobody's scans can be read here as if one were they."""
    operators.mesh.forget()
    for path in ("/eco2.scan.v1.ScanService/ListScans", "/v1/scans", "/eco2.auth.v1.AuthService/GetMe"):
        response = await operators.call(path)
        assert (response.status_code, response.json()["details"][0]["reason"]) == (404, "NOT_IMPLEMENTED"), path
    assert not operators.mesh.calls


async def test_the_public_edge_has_no_way_to_it(operators: Operators) -> None:
    """Not with an operator's token either, in no spelling."""
    operators.mesh.forget()
    token = operators.public.issuer.token(scope="operator")
    headers = {"Authorization": f"Bearer {token}"}
    async with http_client(base_url=operators.public.url, headers=headers, timeout=10) as rest:
        for path in (SEARCH, f"{OPERATIONS}/ReplayScan", "/operators", "/settings.json"):
            assert (await rest.post(path, json={})).status_code == 404, path
    assert not operators.mesh.calls


async def test_a_refusal_is_told_as_the_service_says_it(operators: Operators) -> None:
    """The page reads reason and text."""
    operators.mesh.forget()
    response = await operators.call(f"{OPERATIONS}/ReplayScan", {"scan_id": "0197"}, aud="another")
    assert response.json()["details"][1]["locale"] == "ko"
    bearer = f"Bearer {operators.public.issuer.token(scope='operator')}"
    headers = {"Authorization": bearer, "Content-Type": "application/json"}
    malformed = await operators.rest.post(SEARCH, content=b"{", headers=headers)
    assert (malformed.status_code, malformed.json()["details"][0]["reason"]) == (400, "INVALID_FIELD")


async def test_nobody_names_a_file_twice_or_in_vain() -> None:
    """A file without a route is a page that breaks in silence."""
    text = TEMPLATE.read_text(encoding="utf-8")
    assert {file.name for file in PAGE.iterdir()} == {part.split('"')[0] for part in text.split("${PAGE_FOLDER}/")[1:]}


async def test_what_an_operator_asks_for_is_in_the_access_log(operators: Operators) -> None:
    """With who they are, and without what they looked for."""
    reply = pb.SearchScansResponse(next_page_token="next")

    async def answer(request: Any, context: Any) -> pb.SearchScansResponse:
        return reply

    operators.mesh.answers["eco2.scan.v1.OperationsService.SearchScans"] = answer
    assert (await operators.call(sub="lee@duty", body={"user_id": "somebody-1"})).json() == {"next_page_token": "next"}
    line = await operators.public.output.containing("lee@duty")
    assert json.loads(line)["path"] == SEARCH
    assert "somebody-1" not in line
