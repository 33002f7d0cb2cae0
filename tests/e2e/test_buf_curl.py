"""The whole flow by `buf curl`, which knows nothing of us but what reflection says, through the edge."""

import asyncio
import hashlib
import json
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import Json, Phone, Sign
from tests.support.edge.access import ROWS

BUF = Path(sys.executable).parent / "buf"
SCANS = "eco2.scan.v1.ScanService"
VERSIONS = ["grpc-v1", "grpc-v1alpha"]


class Curl:
    """Calls as a person types them.

    Args:
        url: The edge.
        authorization: What is sent with calls; nothing if empty.
        asking: What is sent with reflection; by default the same.
        version: The version of reflection to ask by.
    """

    def __init__(self, url: str, authorization: str, asking: str | None = None, version: str = "grpc-v1") -> None:
        asking = authorization if asking is None else asking
        self._options = ["--http2-prior-knowledge", "--protocol=grpc", f"--reflect-protocol={version}"]
        self._options += [f"--header=authorization: {authorization}"] if authorization else []
        self._options += [f"--reflect-header=authorization: {asking}"] if asking else []
        self._url = url

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """What came of a command: its status, what it printed, and what went wrong."""
        process = await asyncio.create_subprocess_exec(
            *(BUF, "curl", *self._options, *arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, errors = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode(), errors.decode()

    async def call(self, rpc: str, **fields: object) -> list[Json]:
        """Calls an RPC; gives all its messages."""
        status, output, errors = await self.run("--data", json.dumps(fields), f"{self._url}/{rpc}")
        assert status == 0, errors
        decoder, messages = json.JSONDecoder(), list[Json]()
        while output := output.lstrip():
            message, end = decoder.raw_decode(output)
            messages.append(message)
            output = output[end:]
        return messages

    async def refused(self, rpc: str, **fields: object) -> Json:
        """Calls an RPC that is refused; gives code, message and details."""
        status, _, errors = await self.run("--data", json.dumps(fields), f"{self._url}/{rpc}")
        assert status != 0
        error: Json = json.loads(errors)
        return error


@pytest.fixture
def curl(stack: Mapping[str, str], phone: Phone) -> Curl:
    """Somebody with a token."""
    return Curl(stack["ECO2_REST_URL"], phone.headers["Authorization"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_lists_what_everybody_may_call(version: str, stack: Mapping[str, str], phone: Phone) -> None:
    """By both versions of reflection; what is for the mesh alone can't even be asked for by name."""
    curl = Curl(stack["ECO2_REST_URL"], phone.headers["Authorization"], version=version)
    status, listed, errors = await curl.run("--list-services", stack["ECO2_REST_URL"])
    assert status == 0, errors
    assert set(listed.split()) == {name.rpartition(".")[0] for name, row in ROWS.items() if row.access.is_public}
    for internal in ("eco2.scan.v1.OperationsService/GetQueueStats", "eco2.vision.v1.VisionService/Classify"):
        status, _, errors = await curl.run("--data", "{}", f"{stack['ECO2_REST_URL']}/{internal}")
        assert status != 0
        assert "failed to find service" in errors


async def test_a_photo_becomes_an_answer(curl: Curl, phone: Phone, note_photo: bytes) -> None:
    """Created, uploaded, started, watched to its end, found in the history, deleted."""
    upload = {
        "content_type": "image/jpeg",
        "size_bytes": len(note_photo),
        "sha256": hashlib.sha256(note_photo).hexdigest(),
    }
    [created] = await curl.call(f"{SCANS}/CreateScan", upload=upload)
    scan_id = created["scan"]["scanId"]
    await phone.put(created["upload"], note_photo)
    await curl.call(f"{SCANS}/StartScan", scan_id=scan_id)
    *_, last = await curl.call(f"{SCANS}/WatchScan", scan_id=scan_id)
    assert (last["type"], last["scan"]["state"]) == ("TYPE_TERMINAL", "STATE_SUCCEEDED")
    [history] = await curl.call(f"{SCANS}/ListScans")
    assert [scan["scanId"] for scan in history["scans"]] == [scan_id]
    assert await curl.call(f"{SCANS}/DeleteScan", scan_id=scan_id) == [{}]
    assert (await curl.refused(f"{SCANS}/GetScan", scan_id=scan_id))["code"] == "not_found"


async def test_without_rights_it_gets_nowhere(
    curl: Curl, stack: Mapping[str, str], phone: Phone, sign_in: Sign
) -> None:
    """Without a token not even reflection answers; with another user's the scan isn't there."""
    [created] = await curl.call(f"{SCANS}/CreateScan", upload={"content_type": "image/jpeg", "size_bytes": 9})
    scan_id = created["scan"]["scanId"]
    for authorization in ("", "Bearer none"):
        stranger = Curl(stack["ECO2_REST_URL"], authorization)
        status, listed, _ = await stranger.run("--list-services", stack["ECO2_REST_URL"])
        assert (status == 0, listed) == (False, "")
        knowing = Curl(stack["ECO2_REST_URL"], authorization, asking=phone.headers["Authorization"])
        assert (await knowing.refused(f"{SCANS}/GetScan", scan_id=scan_id))["code"] == "unauthenticated"
    other = Curl(stack["ECO2_REST_URL"], sign_in(f"other-{uuid.uuid4().hex}").headers["Authorization"])
    for rpc in ("GetScan", "WatchScan", "CancelScan", "DeleteScan"):
        assert (await other.refused(f"{SCANS}/{rpc}", scan_id=scan_id))["code"] == "not_found"
    [found] = await curl.call(f"{SCANS}/GetScan", scan_id=scan_id)
    assert found["state"] == "STATE_AWAITING_UPLOAD"
