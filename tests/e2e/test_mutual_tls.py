"""The whole mesh by mutual TLS, a process for each service, as in the chart."""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from eco2.scan.v1 import scan_pb2
from local.cli.api.rest import Question, ScanClient
from local.stack.background import running
from local.stack.services import SERVICES
from mesh.grpc.access import EDGE, OPERATOR, dns_name
from mesh.locale import Locale
from mesh.settings import TlsFiles
from tests.support.http import http_client
from tests.support.mutual_tls import MutualTls
from tests.support.sample_photos import note
from tests.support.stack_folders import stack_folder

pytestmark = [pytest.mark.stack, pytest.mark.slow]


class Mesh:
    """A running stack with mutual TLS.

    Args:
        folder: Its folder.
        variables: Its addresses.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.variables = variables
        self.tls = MutualTls(folder / "tls")

    def target(self, name: str) -> str:
        """Where a service is."""
        return self.variables[f"ECO2_{name.upper()}_TARGET"]


@pytest.fixture(scope="module")
def mesh() -> Iterator[Mesh]:
    """One stack for all these tests."""
    with stack_folder() as folder, running(folder, processes=None, tls=True) as variables:
        yield Mesh(folder, variables)


def test_a_scan_succeeds(mesh: Mesh) -> None:
    """Edge, Scan, Vision, Rules and Character know each other."""
    with ScanClient(mesh.variables["ECO2_REST_URL"], mesh.variables["ECO2_TOKEN"], Locale.KO) as client:
        scan = client.scan(note(), "image/jpeg", Question())
        assert list(client.follow(scan.scan_id))[-1].state == scan_pb2.Scan.State.STATE_SUCCEEDED


@pytest.mark.parametrize("command", ["queue", "doctor"])
def test_operators_use_the_certificate_that_the_stack_wrote(command: str, mesh: Mesh) -> None:
    """`eco2` finds it in the address file, and asks for nothing more."""
    done = subprocess.run(
        [sys.executable, "-m", "local", command, "--var", mesh.folder],
        capture_output=True, text=True, check=False, env={"PATH": os.defpath},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


async def test_all_certificates_change_under_load_without_a_failed_call(mesh: Mesh) -> None:
    """As when cert-manager renews them, but all at once; users list scans and taxonomy meanwhile."""
    statuses, stop = set[int](), asyncio.Event()
    headers = {"Authorization": f"Bearer {mesh.variables['ECO2_TOKEN']}"}

    async with http_client(base_url=mesh.variables["ECO2_REST_URL"], headers=headers, timeout=20) as rest:

        async def keep_asking(path: str) -> None:
            while not stop.is_set():
                statuses.add((await rest.get(path)).status_code)

        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            for path in ("/v1/scans", "/v1/taxonomy", "/v1/characters"):
                group.create_task(keep_asking(path))
            for name in SERVICES:
                before = await shown(mesh, name)
                mesh.tls.authority.certify(name)
                while await shown(mesh, name) == before:
                    pass
            mesh.tls.authority.certify(EDGE)
            for _ in range(30):
                statuses.add((await rest.get("/v1/scans")).status_code)
            stop.set()
    assert statuses == {200}


async def shown(mesh: Mesh, name: str) -> bytes:
    """The certificate that a service shows to a new connection."""
    files: TlsFiles = mesh.tls.files(OPERATOR)
    context = ssl.create_default_context(cafile=files.ca)
    context.load_cert_chain(files.cert, files.key)
    context.set_alpn_protocols(["h2"])
    host, _, port = mesh.target(name).rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=dns_name(name))
    certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return certificate
