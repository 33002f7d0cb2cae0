"""The peer's stack: its stores, RabbitMQ, Character, a worker for each stage, the API.

    postgres  valkey  epmd         at once
          rabbitmq                 its queues declared
    character  vision  rule  answer  reward
            api

PostgreSQL and Valkey are run exactly as ours. Run as a program, `python -m bench.peer.stack FOLDER PYTHON GENERATED`,
it keeps the stack up until SIGTERM and writes its addresses and pids where ours does (`stack.env`). Where photos are,
the model's address and users' key come from the environment.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import asyncpg

from bench.mesh.http1 import Connection, encode
from bench.peer import install
from local.errors import NotStarted
from local.files import ENV_FILE, write_env
from local.stack.child_exec import die_with_parent
from local.stack.ports import HOST, Ports
from local.stack.secrets import Secrets
from local.stack.services import cores
from local.stack.stores import postgres, valkey
from local.stack.supervisor import Child, Program, finish

ROOT = Path(__file__).parents[2]

_APPLICATION = "bench.peer.application"
_SCHEMA = Path(__file__).with_name("application") / "schema.sql"
# So many scans at a time in the stages that wait for the model, and in the others; knobs, see bench/README.md.
_CONCURRENCY = os.environ.get("PEER_CONCURRENCY", "500")
_LIGHT_CONCURRENCY = os.environ.get("PEER_LIGHT_CONCURRENCY", "16")
_STAGES = {"vision": _CONCURRENCY, "rule": _LIGHT_CONCURRENCY, "answer": _CONCURRENCY, "reward": _LIGHT_CONCURRENCY}
_POOL = os.environ.get("PEER_POOL", "threads")
_API_PROCESSES = os.environ.get("PEER_API_PROCESSES") or str(cores())
_BACKLOG = "4096"
_KEEP_ALIVE_SECONDS = "300"  # between two requests; the generator's users are in no hurry
_CONSUMED_SECONDS = 60.0
_BROKER_SECONDS = 20.0  # to end in

Ready = Callable[[], Awaitable[None]]


class PeerStack:
    """The stack in one folder.

    Args:
        folder: Where its data goes.
        python: The interpreter of the peer's environment.
        generated: Where the code of its gRPC service is.
    """

    def __init__(self, folder: Path, python: Path, generated: Path) -> None:
        self._folder, self._python = folder, str(python)
        ports, secrets = Ports(folder / "ports.json"), Secrets.load_or_create(folder / "secrets")
        names = ("postgres", "valkey", "epmd", "amqp", "erlang", "character", "api")
        port = {name: ports.take(name) for name in names}
        ports.save()
        self.variables = {
            "ECO2_SUPERVISOR": str(os.getpid()),
            "ECO2_REST_URL": f"http://{HOST}:{port['api']}",
            "ECO2_DATABASE_URL": postgres.dsn(port["postgres"], secrets.postgres_password),
            "ECO2_REDIS_URL": valkey.url(port["valkey"], secrets.valkey_password),
        }
        self._environment = {
            "PYTHONPATH": f"{ROOT}:{generated}",
            "PEER_AMQP_URL": f"amqp://guest:guest@{HOST}:{port['amqp']}//",
            "PEER_POSTGRES_URL": self.variables["ECO2_DATABASE_URL"],
            "PEER_REDIS_URL": self.variables["ECO2_REDIS_URL"],
            "PEER_CHARACTER_ADDRESS": f"{HOST}:{port['character']}",
        }
        stores = [
            postgres.program(folder / "postgres", port["postgres"], secrets.postgres_password),
            valkey.program(folder / "valkey", port["valkey"], secrets.valkey_password),
            self._epmd(port["epmd"]),
        ]
        application = [
            self._program("character", [f"{_APPLICATION}.character"], _listens(port["character"])),
            *(self._worker(stage, concurrency) for stage, concurrency in _STAGES.items()),
        ]
        stages = (stores, [self._rabbitmq(port["epmd"], port["amqp"], port["erlang"])], application, [self._api(port)])
        self._stages = [[self._child(program) for program in stage] for stage in stages]

    async def start(self) -> None:
        """Starts everything and writes the address file.

        Raises:
            NotStarted: A part of it didn't get ready.
        """
        stores, broker, application, api = self._stages
        await asyncio.gather(*(child.start() for child in stores))
        await asyncio.gather(*(child.start() for child in broker), self._create_tables())
        await asyncio.gather(*(child.start() for child in application))
        await self._consumed()
        await asyncio.gather(*(child.start() for child in api))
        pids = ",".join(f"{child.program.name}={child.pid}" for stage in self._stages for child in stage)
        write_env(self._folder / ENV_FILE, {**self.variables, "ECO2_PIDS": pids})

    async def stop(self) -> None:
        """Stops everything in the reverse order."""
        (self._folder / ENV_FILE).unlink(missing_ok=True)
        for stage in reversed(self._stages):
            await asyncio.gather(*(child.stop() for child in stage))

    async def _create_tables(self) -> None:
        connection = await asyncpg.connect(self.variables["ECO2_DATABASE_URL"])
        try:
            await connection.execute(_SCHEMA.read_text(encoding="utf-8"))
        finally:
            await connection.close()

    async def _consumed(self) -> None:
        """Waits until every stage's queue has its worker.

        Raises:
            NotStarted: One didn't come.
        """
        try:
            async with asyncio.timeout(_CONSUMED_SECONDS):
                while not int(await self._run(f"{_APPLICATION}.celery_app", "consumers")):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise NotStarted(f"the peer's workers don't come; see {self._folder / 'log'}") from None

    async def _run(self, *module: str) -> str:
        return await finish((self._python, "-m", *module), self._environment)

    def _child(self, program: Program) -> Child:
        log = self._folder / "log"
        log.mkdir(exist_ok=True)
        return Child(program, log / f"{program.name}.log", print, lambda: None)

    def _program(self, name: str, module: Sequence[str], ready: Ready, **environment: str) -> Program:
        command = [self._python, "-m", *module]
        return Program(name, command, ready, environment={**self._environment, **environment})

    def _worker(self, stage: str, concurrency: str) -> Program:
        options = ("-n", f"{stage}@peer", "-Q", f"scan.{stage}", "-P", _POOL, "-c", concurrency, "-l", "WARNING")
        lean = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        module = ["celery", "-A", f"{_APPLICATION}.celery_app", "worker", *options, *lean]
        return self._program(stage, module, _at_once, PEER_CONCURRENCY=concurrency, PEER_POOL=_POOL)

    def _api(self, port: Mapping[str, int]) -> Program:
        url = self.variables["ECO2_REST_URL"]

        async def answers() -> None:
            connection = await Connection.open(url)
            try:
                await connection.send(encode("GET", "/health", HOST, {}))
            finally:
                connection.close()

        served = ("--host", HOST, "--port", str(port["api"]), "--workers", _API_PROCESSES, "--backlog", _BACKLOG)
        lean = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")
        patient = ("--timeout-keep-alive", _KEEP_ALIVE_SECONDS)
        return self._program("api", ["uvicorn", f"{_APPLICATION}.api:app", *served, *lean, *patient], answers)

    def _epmd(self, port: int) -> Program:
        command = [install.epmd(), "-address", HOST, "-port", str(port)]
        return Program("epmd", command, _listens(port))

    def _rabbitmq(self, epmd: int, amqp: int, erlang: int) -> Program:
        data = self._folder / "rabbitmq"
        data.mkdir(exist_ok=True)
        (data / "rabbitmq.conf").write_text(f"listeners.tcp.1 = {HOST}:{amqp}\nlog.file.level = warning\n", "utf-8")
        (data / "plugins").write_text("[].", "utf-8")
        environment = {
            "HOME": str(data),
            "ERL_EPMD_PORT": str(epmd),
            "RABBITMQ_NODENAME": "peer@localhost",
            "RABBITMQ_DIST_PORT": str(erlang),
            "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(data / "log"),
            "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "plugins"),
            "RABBITMQ_PID_FILE": str(data / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} -mnesia core_dir false",
            "ERL_CRASH_DUMP": str(data / "crash"),
        }

        async def ready() -> None:
            await _listens(amqp)()
            await self._run(f"{_APPLICATION}.celery_app", "declare")

        # A script that runs the server as its child and stops it when it is terminated; killed, it would orphan it.
        return Program(
            "rabbitmq",
            [str(install.rabbitmq())],
            ready,
            environment=environment,
            death_signal=signal.SIGTERM,
            grace=_BROKER_SECONDS,
        )


async def _at_once() -> None:
    """A worker is ready when RabbitMQ knows it, which is asked for all of them together."""


def _listens(port: int) -> Ready:
    async def probe() -> None:
        _, writer = await asyncio.open_connection(HOST, port)
        writer.close()

    return probe


async def _run(folder: Path, python: Path, generated: Path) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    stack = PeerStack(folder, python, generated)
    try:
        await stack.start()
        await asyncio.Event().wait()
    finally:
        await stack.stop()


def main() -> None:
    """Command line."""
    folder, python, generated = (Path(argument) for argument in sys.argv[1:])
    die_with_parent(signal.SIGTERM)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(_run(folder, python, generated))
    except NotStarted as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
