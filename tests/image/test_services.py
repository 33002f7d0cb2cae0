"""Every program of the image, run as Kubernetes runs it, on the suite's stores."""

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg
import grpc
import pytest

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from eco2.scan.v1.scan_service_pb2_grpc import ScanServiceStub
from local.stack import services
from local.stack.services import SERVICES
from mesh.grpc.identity import USER_HEADER
from tests.support.http import http_client
from tests.support.image.container import Container, Process
from tests.support.ports import free_port
from tests.support.sample_photos import note
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.geteuid() != 0, reason="building the image takes root"),
]

_START_SECONDS = 240.0
_END_SECONDS = 90.0
_OWN_TARGETS = tuple(f"ECO2_{name.upper()}_TARGET" for name in SERVICES)


@pytest.fixture
def settings(stack: Mapping[str, str], database_url: str) -> dict[str, str]:
    """The suite's stores and keys, and a database of one's own."""
    given = {name: value for name, value in stack.items() if name.startswith("ECO2_") and name not in _OWN_TARGETS}
    return {**given, "ECO2_DATABASE_URL": database_url, "ECO2_DRAIN_SECONDS": "0.2", "ECO2_VISION_THREADS": "1"}


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    """Ends what a test started."""
    with ExitStack() as started:
        yield started


def test_the_command_line_is_on_the_path(container: Container) -> None:
    """For operators, by `kubectl exec`."""
    done = container.run("eco2", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("eco2 ")


def test_it_can_write_to_tmp_alone(container: Container) -> None:
    """Kubernetes' readOnlyRootFilesystem, and a user who owns nothing."""
    script = (
        "import os, pathlib\nprint(os.getuid())\npathlib.Path('/tmp/x').touch()\npathlib.Path('/opt/eco2/x').touch()"
    )
    done = container.run("python", "-c", script)
    assert done.stdout == "10001\n"
    assert "Read-only file system: '/opt/eco2/x'" in done.stderr


def test_services_say_what_they_lack(container: Container) -> None:
    """And end, each with the status of a misuse."""
    for name in SERVICES:
        done = container.run("python", "-m", f"{name}_svc")
        if done.returncode != 2:
            raise AssertionError(f"{name}: {done.returncode} {done.stderr}")
        assert "is not set" in done.stderr


async def test_stores_are_prepared_from_it(
    container: Container, stack: Mapping[str, str], settings: Mapping[str, str]
) -> None:
    """Migrations and bucket rules are in the image, too."""
    admin = await asyncpg.connect(stack["ECO2_DATABASE_URL"])
    name = f"image_{uuid4().hex}"
    await admin.execute(f"create database {name}")
    url = settings["ECO2_DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    owners = [f"{name}_svc" for name in ("scan", "rules", "character", "auth")]
    migrated = container.run("python", "-m", "mesh.postgres", "migrate", *owners, ECO2_DATABASE_URL=url)
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()
    assert migrated.returncode == 0, migrated.stderr
    assert all(f"{owner.removesuffix('_svc')}" in migrated.stdout for owner in owners)
    storage = {name: value for name, value in settings.items() if name.startswith(("ECO2_S3_", "ECO2_CDN_"))}
    prepared = container.run("python", "-m", "mesh.bucket", "prepare", **storage, ECO2_CORS_ORIGINS="*")
    assert prepared.returncode == 0, prepared.stderr


async def test_six_services_scan_a_photo(container: Container, settings: dict[str, str], tmp_path: Path) -> None:
    """One process each, which call each other; and operators see the queue."""
    at = {name: f"127.0.0.1:{free_port()}" for name in SERVICES}
    settings |= {f"ECO2_{name.upper()}_TARGET": address for name, address in at.items()}
    async with _running(
        container, settings, {name: ["python", "-m", f"{name}_svc"] for name in SERVICES}, at, tmp_path
    ):
        scan = await _scanned(at["scan"])
        assert scan.state == scan_pb2.Scan.State.STATE_SUCCEEDED
        assert scan.classification.category.middle == "종이"
        queue = container.run("eco2", "queue", "--json", ECO2_SCAN_TARGET=at["scan"])
        assert queue.returncode == 0, queue.stderr
        assert "stages" in json.loads(queue.stdout)


async def test_one_process_may_be_all_services(container: Container, settings: dict[str, str], tmp_path: Path) -> None:
    """What the image runs when nothing else is said."""
    at = f"127.0.0.1:{free_port()}"
    settings["ECO2_TARGETS"] = ",".join(SERVICES)
    async with _running(container, settings, {"all": ["python", "-m", "all_in_one"]}, {"all": at}, tmp_path):
        assert (await _scanned(at)).state == scan_pb2.Scan.State.STATE_SUCCEEDED


@asynccontextmanager
async def _running(
    container: Container,
    settings: Mapping[str, str],
    commands: Mapping[str, Sequence[str]],
    at: Mapping[str, str],
    folder: Path,
) -> AsyncIterator[None]:
    """Processes that say SERVING; at the end each is told to end, and does so well."""
    running: dict[str, Process] = {}
    try:
        for name, words in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                running[name] = container.start(words, {**settings, "ECO2_LISTEN": at[name]}, log)
        for name, process in running.items():
            await eventually(partial(_serving, at[name], process), _START_SECONDS)
        yield
        for process in running.values():
            process.send(signal.SIGTERM)
        ended = {name: await asyncio.to_thread(process.wait, _END_SECONDS) for name, process in running.items()}
        assert ended == dict.fromkeys(ended, 0), _logs(folder)
    except BaseException:
        print(_logs(folder))
        raise
    finally:
        for process in running.values():
            process.send(signal.SIGKILL)


async def _serving(address: str, process: Process) -> bool:
    assert not process.ended, "it ended"
    try:
        await services.probe(address)
    except (ConnectionError, grpc.RpcError):
        return False
    return True


async def _scanned(address: str) -> scan_pb2.Scan:
    """A scan at its end, made as the edge passes it on."""
    photo, who = note(), ((USER_HEADER, f"user-{uuid4().hex}"),)
    upload = scan_service_pb2.Upload(
        content_type="image/jpeg", size_bytes=len(photo), sha256=hashlib.sha256(photo).hexdigest()
    )
    async with grpc.aio.insecure_channel(address) as channel, http_client() as storage:
        stub = ScanServiceStub(channel)
        asked = scan_service_pb2.CreateScanRequest(upload=upload)
        created = await stub.CreateScan(asked, metadata=who, timeout=60)
        put = await storage.put(created.upload.url, headers=dict(created.upload.headers), content=photo)
        put.raise_for_status()
        scan_id = created.scan.scan_id
        await stub.StartScan(scan_service_pb2.StartScanRequest(scan_id=scan_id), metadata=who, timeout=60)
        watch = stub.WatchScan(scan_service_pb2.WatchScanRequest(scan_id=scan_id), metadata=who, timeout=120)
        *_, last = [event async for event in watch]
    assert last.type == scan_service_pb2.WatchScanResponse.TYPE_TERMINAL
    return last.scan


def _logs(folder: Path) -> str:
    return "\n".join(f"{file.stem}: {file.read_text('utf-8')[-4000:]}" for file in folder.glob("*.log"))
