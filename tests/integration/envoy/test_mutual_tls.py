"""The edge calls services by mutual TLS: whom it believes, and certificates that change."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from eco2.scan.v1 import scan_service_pb2
from local.stack.envoy import BEHIND
from tests.support.edge.envoy import Edge, running
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.http import http_client
from tests.support.mutual_tls import MutualTls
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = "eco2.scan.v1.ScanService.ListScans"
SHORT_LIVED = ("grpc.max_connection_age_ms", 200)


@dataclass(frozen=True, slots=True)
class Front:
    """An edge, and where it looks for services.

    Attributes:
        edge: The edge.
        port: Where services are to be.
        tls: Who certifies both.
        rest: A client of user-1.
    """

    edge: Edge
    port: int
    tls: MutualTls
    rest: httpx2.AsyncClient

    async def list_scans(self) -> int:
        """Asks for the history; the status."""
        return (await self.rest.get("/v1/scans")).status_code


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """An edge without services behind it."""
    tls, port = MutualTls(tmp_path_factory.mktemp("tls")), free_port()
    async with running(tmp_path_factory.mktemp("edge"), port, tls=tls) as edge:
        headers = {"Authorization": f"Bearer {edge.issuer.token()}"}
        async with http_client(base_url=edge.url, headers=headers, timeout=20) as rest:
            yield Front(edge, port, tls, rest)


class Seen:
    """The certificates that the edge has shown, newest last."""

    def __init__(self, mesh: FakeMesh) -> None:
        self.shown: list[bytes] = []
        mesh.answers[LIST] = self.answer

    async def answer(self, request: Any, context: Any) -> Message:
        """Answers with nothing."""
        (certificate,) = context.auth_context()["x509_pem_cert"]
        if not self.shown or self.shown[-1] != certificate:
            self.shown.append(certificate)
        return scan_service_pb2.ListScansResponse()


def everybody(front: Front) -> str:
    """A certificate that names all services, for a fake that is all of them."""
    front.tls.authority.certify("everybody", BEHIND)
    return "everybody"


def content(file: str) -> bytes:
    """What a file holds."""
    return Path(file).read_bytes()


async def test_a_service_knows_the_edge(front: Front) -> None:
    """The certificate is the edge's, so its word for a user is taken."""
    mesh = FakeMesh()
    seen = Seen(mesh)
    async with mesh.serving(front.port, front.tls.server_credentials(everybody(front))):
        assert await front.list_scans() == 200
    assert seen.shown == [content(front.tls.files("edge").cert)]
    assert mesh.calls[-1].metadata["eco2-user-id"] == "user-1"


@pytest.mark.parametrize("kind", ["another service", "another authority", "plain"])
async def test_the_edge_gives_no_request_to_another(kind: str, front: Front, tmp_path: Path) -> None:
    """A request holds a user's token and photo: whoever gets hold of an address must not get those."""
    mesh = FakeMesh()
    front.tls.authority.certify("character and others", [name for name in BEHIND if name != "scan"])
    credentials = {
        "another service": front.tls.server_credentials("character and others"),
        "another authority": MutualTls(tmp_path).server_credentials("scan"),
        "plain": None,
    }[kind]
    async with mesh.serving(front.port, credentials):
        assert await front.list_scans() == 503
    assert mesh.calls == []


async def test_certificates_change_under_load_without_a_failed_call(front: Front) -> None:
    """The edge's and the services' change three times; connections live a fifth of a second, so that many are made."""
    mesh, statuses, stop = FakeMesh(), set[int](), asyncio.Event()
    seen, name = Seen(mesh), everybody(front)

    async def keep_asking() -> None:
        while not stop.is_set():
            statuses.add(await front.list_scans())

    async with (
        mesh.serving(front.port, front.tls.server_credentials(name), SHORT_LIVED),
        asyncio.timeout(120),
        asyncio.TaskGroup() as group,
    ):
        for _ in range(4):
            group.create_task(keep_asking())
        for _ in range(3):
            front.tls.authority.certify("everybody", BEHIND)
            newest = content(front.tls.authority.certify("edge").cert)
            while not seen.shown or seen.shown[-1] != newest:
                statuses.add(await front.list_scans())
        stop.set()
    assert statuses == {200}
    assert len(seen.shown) >= 3
