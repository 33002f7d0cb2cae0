"""The embedded stack: what runs, in which order, and where it can be reached.

    postgres  valkey  seaweedfs  …     the stores, at once; see local.stack.stores.shapes
          migrations
    eco2-1  eco2-2  …                  the services, all in each process; or split, one in each
          demo-provider                somebody to sign in with, if that is wanted
          envoy                        the edge; ready when a request through it is answered; and the operators'

It stops in the reverse order, Auth and Scan before the services they call: Scan drains while they still answer.
Everything lives in one folder, VAR:

    stack.env     addresses and a token, only while everything is ready
    secrets       passwords and keys, made once
    ports.json    ports, the same again after a restart
    lock          held while a stack runs here
    log/          one file a child
    tls/          certificates, if there are any; see local.stack.certificates
    providers.yaml    the demo provider, if there is one
    prometheus.yaml   for a Prometheus that scrapes it
    postgres/ valkey/ seaweedfs/ envoy.yaml
"""

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from pathlib import Path

from local.errors import CannotStart
from local.files import ENV_FILE, write_env
from local.stack import demo_provider, edges, limits, monitoring, services
from local.stack.certificates import Authority
from local.stack.edges import EdgePorts
from local.stack.ports import HOST, Ports, is_free
from local.stack.preparation import migrate, prepare_bucket
from local.stack.secrets import Secrets
from local.stack.stores import shapes
from local.stack.supervisor import Child, Program, Say
from local.stack.tokens import AUDIENCE, ISSUER, Tokens
from mesh.grpc.access import OPERATOR
from mesh.grpc.identity import OPERATOR_SCOPE
from mesh.settings import TlsFiles

USER = "newcomer"

# Services that call others are stopped first, in this order.
_CALLERS = ("envoy", "auth", "scan")


class StackPart(StrEnum):
    """How much of the stack to run."""

    ALL = "all"
    STORES = "stores"


class Stack:
    """One stack in one folder. Use `open_stack`, which also stops it.

    Args:
        var: Its folder.
        port: Where the edge listens; 0 for any free port.
        part: How much of it to run.
        say: Prints a line for the user.
        processes: How many processes serve the mesh, each all services; None: one for each service.
        tls: Whether services ask each caller for a certificate.
        demo: Whether one can sign in as the demo user. Providers of the environment take that one's place.
        stores: In which shapes the stores run; see `local.stack.stores.shapes`.

    Attributes:
        variables: What its address file says, the pids apart.

    Raises:
        Misuse: There is no such shape, or they exclude each other.
        CannotStart: The port is taken.
    """

    def __init__(
        self,
        var: Path,
        port: int,
        part: StackPart,
        say: Say,
        processes: int | None = 1,
        tls: bool = False,
        demo: bool = False,
        stores: Sequence[str] = (),
    ) -> None:
        self._var = var
        self._demo = demo and not os.environ.get("ECO2_AUTH_CLIENTS")
        self._authority = Authority(var / "tls") if tls else None
        self._say = say
        self._secrets = Secrets.load_or_create(var / "secrets")
        self._tokens = Tokens(self._secrets.signing_key)
        self._metrics: Mapping[str, str] = {}  # where each process tells its own
        self.variables = {"ECO2_SUPERVISOR": str(os.getpid()), "ECO2_TOKEN": self._tokens.issue(USER)}
        ports = Ports(var / "ports.json")
        planned = shapes.plan(var, ports, self._secrets, stores)
        self.variables |= planned.variables
        mesh = [] if part is StackPart.STORES else self._mesh(ports, port, processes)
        ports.save()
        self._stages = [[self._child(program) for program in stage] for stage in (planned.programs.values(), mesh)]
        self._ready = False

    async def start(self) -> None:
        """Starts everything and writes the address file.

        Raises:
            NotStarted: A part of it didn't get ready.
        """
        stores, mesh = self._stages
        await _at_once(stores)
        preparing = [prepare_bucket(self.variables)]
        if mesh:
            preparing.append(migrate(self.variables))
        await asyncio.gather(*preparing)
        monitoring.write_configuration(self._var, self._metrics)
        await _at_once(mesh)
        self._ready = True
        self._publish()

    async def stop(self) -> None:
        """Withdraws the address file, then stops everything: the edge, Auth, Scan, the other services, the stores."""
        self._ready = False
        (self._var / ENV_FILE).unlink(missing_ok=True)
        stores, mesh = self._stages
        callers = [[child for child in mesh if child.program.name == name] for name in _CALLERS]
        peers = [child for child in mesh if child.program.name not in _CALLERS]
        for stage in (*callers, peers, stores):
            await asyncio.gather(*(child.stop() for child in stage))

    def _mesh(self, ports: Ports, port: int, processes: int | None) -> list[Program]:
        if port and not is_free(port):
            raise CannotStart(f"Port {port} is taken by another program. Choose another: PORT=… or --port.")
        changes = limits.given()
        edge = EdgePorts(
            port or ports.take("rest"), ports.take("operators"), ports.take("envoy-admin"), ports.take("envoy-metrics")
        )
        shape = services.shape(processes)
        process_ports = {name: ports.take(name) for name in shape}
        self._metrics = {name: f"{HOST}:{ports.take(f'{name}-metrics')}" for name in shape}
        self._metrics |= {monitoring.EDGE: f"{HOST}:{edge.metrics}"}
        served_at = {
            service: [process_ports[name] for name, served in shape.items() if service in served]
            for service in services.SERVICES
        }
        self.variables |= {
            "ECO2_REST_URL": f"http://{HOST}:{edge.rest}",
            "ECO2_GRPC_TARGET": f"{HOST}:{edge.rest}",
            **{
                f"ECO2_{name.upper()}_TARGET": services.target([f"{HOST}:{number}" for number in numbers])
                for name, numbers in served_at.items()
            },
            "ECO2_OPERATORS_URL": f"http://{HOST}:{edge.operators}",
            "ECO2_OPERATOR_TOKEN": self._tokens.issue(OPERATOR, scope=OPERATOR_SCOPE),
            "ECO2_ENVOY_ADMIN": f"http://{HOST}:{edge.admin}",
            "ECO2_LOG_PSEUDONYM_KEY": self._secrets.pseudonym_key,
            "ECO2_VAPID_PRIVATE_KEY": self._secrets.vapid_private_key,
            **self._auth(edge.rest),
            "ECO2_LIMITS": json.dumps(changes),
            "ECO2_METRICS_TARGETS": ",".join(f"{name}={address}" for name, address in self._metrics.items()),
        }
        if self._authority:
            self.variables |= self._authority.certify(OPERATOR).variables
        provider, told = self._provider(ports)
        vision_processes = len(served_at["vision"])
        return [
            *(
                self._process(name, served, process_ports[name], vision_processes, told)
                for name, served in shape.items()
            ),
            *provider,
            edges.program(self._var, self.variables, edge, served_at, changes, self._authority),
        ]

    def _process(
        self, name: str, served: Sequence[str], port: int, vision_processes: int, told: Mapping[str, str]
    ) -> Program:
        """A process of the mesh; Auth's is told of the demo provider, too."""
        variables = {**self.variables, **told} if "auth" in served else self.variables
        address, metrics, tls = f"{HOST}:{port}", self._metrics[name], self._certified(name, served)
        return services.program(name, served, address, metrics, vision_processes, variables, tls)

    def _auth(self, rest_port: int) -> Mapping[str, str]:
        """What Auth, and who asks it, go by."""
        return {
            "ECO2_AUTH_SECRETS": self._secrets.auth_secret,
            "ECO2_AUTH_ISSUER": ISSUER,
            "ECO2_AUTH_AUDIENCE": AUDIENCE,
            # Auth publishes the key of the stack's own tokens beside its own.
            "ECO2_AUTH_JWKS": self._tokens.jwks(),
            # Where `eco2 login` listens, and the page, by either of this machine's names.
            "ECO2_AUTH_REDIRECTS": os.environ.get("ECO2_AUTH_REDIRECTS")
            or f"http://127.0.0.1/callback,http://localhost:{rest_port}/callback",
        }

    def _provider(self, ports: Ports) -> tuple[Sequence[Program], Mapping[str, str]]:
        """The demo provider, if it is wanted, and what Auth alone is told of it.

        The address file doesn't say it: in a shell that has read it, the next stack would take it for a wish.
        """
        if not self._demo:
            return (), {}
        port, secret = ports.take("demo-provider"), self._secrets.demo_client_secret
        redirects = [one.strip() for one in self.variables["ECO2_AUTH_REDIRECTS"].split(",")]
        told = demo_provider.environment(self._var, port, secret)
        return [demo_provider.program(port, secret, redirects)], told

    def _certified(self, name: str, served: Sequence[str]) -> tuple[TlsFiles, TlsFiles] | None:
        """A process's certificate, which names its services, and an operator's; None without TLS."""
        if self._authority is None:
            return None
        return self._authority.certify(name, served), self._authority.files(OPERATOR)

    def _child(self, program: Program) -> Child:
        return Child(program, self._var / "log" / f"{program.name}.log", self._say, self._publish)

    def _publish(self) -> None:
        if self._ready:
            pids = ",".join(f"{child.program.name}={child.pid}" for stage in self._stages for child in stage)
            write_env(self._var / ENV_FILE, {**self.variables, "ECO2_PIDS": pids})


@asynccontextmanager
async def open_stack(
    var: Path,
    port: int,
    part: StackPart,
    say: Say,
    processes: int | None = 1,
    tls: bool = False,
    demo: bool = False,
    stores: Sequence[str] = (),
) -> AsyncIterator[Mapping[str, str]]:
    """A stack that runs while the block does. Must be entered in the main thread; see `local.stack.child_exec`.

    Yields:
        The variables of its address file.

    Raises:
        Misuse: There are no such stores.
        CannotStart: It can't start here.
        NotStarted: A part of it didn't get ready.
    """
    var = _folder(var)
    with _locked(var):
        (var / ENV_FILE).unlink(missing_ok=True)
        stack = Stack(var, port, part, say, processes, tls, demo, stores)
        try:
            await stack.start()
            yield stack.variables
        finally:
            await stack.stop()


def _folder(var: Path) -> Path:
    (var / "log").mkdir(parents=True, exist_ok=True)
    return var.resolve()


@contextmanager
def _locked(var: Path) -> Iterator[None]:
    """Locks the folder against a second stack; the kernel releases the lock however this process ends."""
    with (var / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotStart(
                f"A stack already runs in {var} (pid {lock.read().strip()}). Stop it, or choose another folder:"
                " VAR=… or --var."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


async def _at_once(children: Sequence[Child]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for child in children:
                group.create_task(child.start())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
