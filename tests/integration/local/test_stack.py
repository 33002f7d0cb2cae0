"""Whole stacks that are started, killed and started again."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from subprocess import PIPE, Popen

import asyncpg
import boto3
import httpx2
import psutil
import pytest
from botocore.config import Config
from mypy_boto3_s3 import S3Client

from local.stack.ports import HOST
from local.stack.stack import StackPart
from local.stack.stores.postgres import probe
from tests.integration.local.stacks import ROOT, Up, kill, left
from tests.support.stack_folders import stack_folder

pytestmark = [pytest.mark.stack, pytest.mark.slow]

Start = Callable[..., Up]
SERVERS = ("PostgreSQL", "Valkey", "SeaweedFS")


def storage(variables: dict[str, str]) -> S3Client:
    """A client with the stack's keys."""
    return boto3.client(
        "s3",
        endpoint_url=variables["ECO2_S3_ENDPOINT"],
        region_name=variables["ECO2_S3_REGION"],
        aws_access_key_id=variables["ECO2_S3_ACCESS_KEY"],
        aws_secret_access_key=variables["ECO2_S3_SECRET_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def shared() -> Iterator[Up]:
    """One set of stores for the tests that leave it running."""
    with stack_folder() as folder:
        stack = Up(folder / "var").ready()
        yield stack
        stack.close()


async def test_a_stack_is_stopped_in_order_and_starts_again_with_data_and_addresses(up: Start) -> None:
    """History and photos belong to the user, not to the process; links to photos must still work.

    Its address file, for which scripts wait, is there only while all is ready, and private: it holds passwords. SIGTERM
    lets PostgreSQL shut down cleanly, so that it needs no recovery at the next start; Ctrl-C does as much.
    """
    stack = up()
    addresses = stack.var / "stack.env"
    assert not addresses.exists()
    before, family = stack.ready().variables, stack.family()
    assert addresses.stat().st_mode & 0o777 == 0o600
    connection = await asyncpg.connect(before["ECO2_DATABASE_URL"])
    await connection.execute("create table kept as select 42 as answer")
    await connection.close()
    storage(before).put_object(Bucket=before["ECO2_S3_BUCKET"], Key="photos/kept", Body=b"photo")
    assert stack.end(signal.SIGTERM) == 0
    assert left(family, 0.0) == []
    assert not addresses.exists()
    assert "database system is shut down" in (stack.var / "log" / "postgres.log").read_text(encoding="utf-8")

    again = up().ready()
    after = again.variables
    volatile = {"ECO2_PIDS", "ECO2_SUPERVISOR", "ECO2_TOKEN"}
    assert {name: after[name] for name in after.keys() - volatile} == {
        name: before[name] for name in before.keys() - volatile
    }
    connection = await asyncpg.connect(after["ECO2_DATABASE_URL"])
    assert await connection.fetchval("select answer from kept") == 42
    await connection.close()
    assert httpx2.get(f"{before['ECO2_CDN_BASE_URL']}/photos/kept").content == b"photo"
    assert again.end(signal.SIGINT) == 0
    assert not addresses.exists()


def test_a_signal_during_the_start_leaves_nothing(up: Start) -> None:
    """People change their minds."""
    stack = up()
    stack.until("ready in")
    family = stack.family()
    assert stack.end() == 0
    assert left(family, 0.0) == []


async def test_kill_minus_nine_three_times_leaves_nothing_and_the_next_start_works(up: Start) -> None:
    """Not the servers, not PostgreSQL's backends, one of which is busy with a query at that moment."""
    for _ in range(3):
        stack = up().ready()
        connection = await asyncpg.connect(stack.variables["ECO2_DATABASE_URL"])
        backend = psutil.Process(await connection.fetchval("select pg_backend_pid()"))
        family = stack.family()
        assert backend in family
        kill(stack.process.pid)
        stack.process.wait()
        assert left(family) == []
        connection.terminate()
    await probe(up().ready().variables["ECO2_DATABASE_URL"])


def test_killing_the_parent_of_a_tied_stack_stops_it() -> None:
    """kill -9 of `make up` must not leave the stack behind."""
    parent = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    up = [sys.executable, "-c", parent, sys.executable, "-m", "local", "up", "--tied", "--only", "stores"]
    with stack_folder() as folder, Popen([*up, "--var", str(folder)], cwd=ROOT, stdout=PIPE, text=True) as make:
        assert make.stdout is not None
        for line in make.stdout:
            if "Addresses" in line:
                break
        family = psutil.Process(make.pid).children(recursive=True)
        kill(make.pid)
        assert left(family) == []


def test_a_taken_rest_port_is_named_before_anything_starts(up: Start) -> None:
    """8080 is everybody's favourite."""
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        stack = up(port=port, only=StackPart.ALL)
        assert stack.process.wait(20) == 1
    assert stack.process.stdout is not None
    text = stack.process.stdout.read()
    assert str(port) in text
    assert "--port" in text
    assert not (stack.var / "postgres").exists()


def test_anybody_may_read_a_clean_photo_but_not_list_or_write(shared: Up) -> None:
    """The bucket stands in for a CDN; an upload is nobody's to read."""
    variables = shared.variables
    for key in ("photos/a", "uploads/a"):
        storage(variables).put_object(Bucket=variables["ECO2_S3_BUCKET"], Key=key, Body=b"photo")
    cdn = variables["ECO2_CDN_BASE_URL"]
    assert httpx2.get(f"{cdn}/photos/a").content == b"photo"
    forbidden = [httpx2.get(f"{cdn}/uploads/a"), httpx2.get(cdn), httpx2.put(f"{cdn}/photos/b", content=b"x")]
    assert [reply.status_code for reply in forbidden] == [403, 403, 403]


def test_a_second_stack_in_the_same_folder_is_refused(up: Start, shared: Up) -> None:
    """Two servers on the same data would destroy it; and the first must not notice."""
    second = up(shared.var)
    assert second.process.wait(20) == 1
    assert second.process.stdout is not None
    text = second.process.stdout.read()
    assert str(shared.process.pid) in text
    assert "Traceback" not in text
    assert shared.variables["ECO2_SUPERVISOR"] == str(shared.process.pid)


def test_two_stacks_run_side_by_side(shared: Up, stack: Mapping[str, str]) -> None:
    """`VAR=` is all it takes: no port, no secret and no data are shared. The second one is that of all tests."""
    first, second = shared.variables, stack
    same = {name for name in first if first[name] == second[name]}
    assert same == {"ECO2_S3_BUCKET", "ECO2_S3_REGION", "ECO2_CORS_ORIGINS"}
    storage(first).put_object(Bucket=first["ECO2_S3_BUCKET"], Key="photos/mine", Body=b"x")
    assert httpx2.get(f"{second['ECO2_CDN_BASE_URL']}/photos/mine").status_code == 404


def test_the_doctor_finds_a_running_stack_well(shared: Up) -> None:
    """And says of each server that it answers."""
    command = [sys.executable, "-m", "local", "doctor", "--var", str(shared.var)]
    examined = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert examined.returncode == 0, examined.stdout
    assert examined.stdout.count("answers") == len(SERVERS)


async def test_a_child_that_dies_comes_back_at_its_address(shared: Up) -> None:
    """Clients reconnect by themselves; the address file tells the new pid."""
    address, pid = shared.variables["ECO2_DATABASE_URL"], shared.pids["postgres"]
    kill(pid)
    assert "SIGKILL" in shared.until("postgres died")
    shared.until("postgres is back")
    await probe(address)
    # The line before the file: the restart of the next child is what the file is certain to be older than.
    kill(shared.pids["valkey"])
    shared.until("valkey is back")
    assert shared.pids["postgres"] != pid
    assert shared.variables["ECO2_DATABASE_URL"] == address
