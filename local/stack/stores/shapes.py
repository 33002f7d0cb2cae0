"""Which stores a stack runs: one of each, or one of the shapes of large systems: `eco2 up --stores pgbouncer,replica`.

A shape takes the plan of one of each, and changes it: it adds programs, takes another in place of one, and says where
services find them. `SHAPES` is the list; a new one is a function in a module of its own, and a line there.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.errors import Misuse
from local.stack.ports import HOST, Ports
from local.stack.secrets import Secrets
from local.stack.stores import cluster, pgbouncer, postgres, replica, seaweedfs, sentinel, valkey
from local.stack.supervisor import Program

_OWN_PAGES = "http://localhost:*,http://127.0.0.1:*"  # of whoever writes a page on this machine


@dataclass
class Plan:
    """The stores of one stack, before they start. They start at once: who needs another waits for it by itself.

    Attributes:
        var: The stack's folder.
        ports: Chooses theirs.
        secrets: Their passwords.
        postgres_port: Where PostgreSQL itself listens.
        programs: What runs, by name.
        variables: Where services find it.
    """

    var: Path
    ports: Ports
    secrets: Secrets
    postgres_port: int
    programs: dict[str, Program] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, program: Program) -> None:
        """Adds a program, or takes it in place of the one of that name."""
        self.programs[program.name] = program

    def take_out(self, name: str) -> None:
        """Leaves a program out: others do what it did."""
        del self.programs[name]


@dataclass(frozen=True, slots=True)
class Shape:
    """What an option of `--stores` does.

    Attributes:
        arrange: Changes the plan.
        of: The store whose shape this is. Two shapes of Valkey exclude each other.
    """

    arrange: Callable[[Plan], None]
    of: str


def _pgbouncer(plan: Plan) -> None:
    """Everything goes through it but notifications and migrations."""
    password, port = plan.secrets.postgres_password, plan.ports.take("pgbouncer")
    folder = plan.var / "pgbouncer"
    plan.run(pgbouncer.program(folder, port, plan.postgres_port, password))
    plan.variables |= {
        "ECO2_DATABASE_LISTEN_URL": plan.variables["ECO2_DATABASE_URL"],
        "ECO2_DATABASE_URL": postgres.dsn(port, password),
    }


def _replica(plan: Plan) -> None:
    """Reads that may be late go to a standby."""
    password, port = plan.secrets.postgres_password, plan.ports.take("replica")
    plan.run(replica.program(plan.var / "replica", port, plan.postgres_port, password))
    plan.variables["ECO2_DATABASE_READ_URL"] = postgres.dsn(port, password)


def _cluster(plan: Plan) -> None:
    """Keys lie on three primaries, each with a replica."""
    password = plan.secrets.valkey_password
    ports = [plan.ports.take(f"cluster-{number}", twin=cluster.BUS) for number in range(1, cluster.SERVERS + 1)]
    plan.take_out("valkey")
    for program in cluster.programs(plan.var / "cluster", ports, password):
        plan.run(program)
    plan.variables["ECO2_REDIS_URL"] = cluster.url(ports, password)


def _sentinel(plan: Plan) -> None:
    """The primary is where the Sentinels say."""
    password = plan.secrets.valkey_password
    ports = [plan.ports.take(f"valkey-{number}") for number in range(1, sentinel.SERVERS + 1)]
    sentinel_ports = [plan.ports.take(f"sentinel-{number}") for number in range(1, sentinel.SENTINELS + 1)]
    plan.take_out("valkey")
    for program in sentinel.programs(plan.var / "sentinel", ports, sentinel_ports, password):
        plan.run(program)
    plan.variables["ECO2_REDIS_URL"] = sentinel.url(sentinel_ports, password)


SHAPES: Mapping[str, Shape] = {
    "cluster": Shape(_cluster, of="valkey"),
    "sentinel": Shape(_sentinel, of="valkey"),
    "pgbouncer": Shape(_pgbouncer, of="pooler"),
    "replica": Shape(_replica, of="replica"),
}


def plan(var: Path, ports: Ports, secrets: Secrets, names: Sequence[str] = ()) -> Plan:
    """What the stores of a stack will be.

    Args:
        var: The stack's folder.
        ports: Chooses their ports.
        secrets: Their passwords.
        names: Of shapes.

    Raises:
        Misuse: There is no such shape, or they exclude each other.
    """
    check(names)
    made = Plan(var, ports, secrets, ports.take("postgres"))
    _one_of_each(made)
    for name, shape in SHAPES.items():  # in this order, whatever the user's
        if name in names:
            shape.arrange(made)
    return made


def check(names: Sequence[str]) -> None:
    """Checks the names of shapes.

    Raises:
        Misuse: There is no such shape, or they exclude each other.
    """
    if unknown := [name for name in names if name not in SHAPES]:
        raise Misuse(f"no such stores: {', '.join(unknown)}. There are {', '.join(SHAPES)}")
    for name in names:
        if rivals := [other for other in names if other != name and SHAPES[other].of == SHAPES[name].of]:
            raise Misuse(f"{name} and {rivals[0]} exclude each other: choose one of them")


def _one_of_each(made: Plan) -> None:
    var, secrets = made.var, made.secrets
    valkey_port, s3_port = made.ports.take("valkey"), made.ports.take("s3")
    storage = seaweedfs.Storage(f"http://{HOST}:{s3_port}", secrets.s3_access_key, secrets.s3_secret_key)
    made.run(postgres.program(var / "postgres", made.postgres_port, secrets.postgres_password))
    made.run(valkey.program(var / "valkey", valkey_port, secrets.valkey_password))
    made.run(seaweedfs.program(var / "seaweedfs", s3_port, made.ports, storage))
    made.variables |= {
        "ECO2_DATABASE_URL": postgres.dsn(made.postgres_port, secrets.postgres_password),
        "ECO2_REDIS_URL": valkey.url(valkey_port, secrets.valkey_password),
        "ECO2_S3_ENDPOINT": storage.endpoint,
        "ECO2_S3_BUCKET": seaweedfs.BUCKET,
        "ECO2_S3_REGION": seaweedfs.REGION,
        "ECO2_S3_ACCESS_KEY": storage.access_key,
        "ECO2_S3_SECRET_KEY": storage.secret_key,
        "ECO2_CDN_BASE_URL": storage.cdn,
        "ECO2_CORS_ORIGINS": os.environ.get("ECO2_CORS_ORIGINS") or _OWN_PAGES,
    }
