"""PgBouncer in front of PostgreSQL, in transaction mode: Debian's program.

A server's connection is a client's for one transaction only. Who listens for notifications or locks by session goes to
PostgreSQL itself, whose address is ECO2_DATABASE_LISTEN_URL then.
"""

from pathlib import Path

from local.debian import libraries, unpacked
from local.files import write_private
from local.stack.ports import HOST
from local.stack.stores import postgres
from local.stack.supervisor import Program

# So many of PostgreSQL's connections for all clients: less than the services' pools add up to, so that they do share.
_SERVER_CONNECTIONS = 12
_CLIENTS = 1000


def program(folder: Path, port: int, database_port: int, password: str) -> Program:
    """PgBouncer on loopback.

    Args:
        folder: Where its configuration goes.
        port: Where it listens.
        database_port: Where PostgreSQL does.
        password: Of the database's owner, who is the only one it lets in.

    Raises:
        CannotStart: This system has no packages of Debian.
    """
    root = unpacked("pgbouncer")
    identity = postgres.identity()  # it refuses to run as root, too
    configuration = folder / "pgbouncer.ini"

    async def prepare() -> None:
        postgres.private_folder(folder, identity)
        users = folder / "users.txt"
        write_private(users, f'"{postgres.USER}" "{password}"\n')
        write_private(configuration, _configuration(port, database_port, users))
        postgres.own(folder, identity)

    async def ready() -> None:
        await postgres.probe(postgres.dsn(port, password))

    return Program(
        name="pgbouncer",
        command=[str(root / "usr/sbin/pgbouncer"), str(configuration)],
        environment=libraries(root),
        prepare=prepare,
        ready=ready,
        identity=identity,
    )


def _configuration(port: int, database_port: int, users: Path) -> str:
    return f"""
[databases]
* = host={HOST} port={database_port}

[pgbouncer]
listen_addr = {HOST}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
stats_users = {postgres.USER}
pool_mode = transaction
default_pool_size = {_SERVER_CONNECTIONS}
max_client_conn = {_CLIENTS}
# A database that was away is asked again after a second; by default after 15.
server_login_retry = 1
# Each connection is told of otherwise, and each refusal.
log_connections = 0
log_disconnections = 0
"""
