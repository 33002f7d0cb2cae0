"""Jobs that a file is uploaded for: how they begin, and how they are followed to their end."""

import hashlib
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from eco2.jobs.v1.job_pb2 import Job
from eco2.jobs.v1.jobs_service_pb2 import CreateJobRequest, JobUpload
from local.cli.api.jobs import JobsClient
from local.cli.display.progress import Board
from local.cli.display.values import filesize
from local.cli.options import Invocation
from local.errors import Disconnected, Misuse
from mesh.locale import Text

_PIECE = 1 << 20
_CUTS, _CUT_SECONDS = 30, 2.0

_pause = time.sleep
_GOES_ON = Text(
    ko="작업은 계속돼요. 다시 보려면: eco2 {command} --job {job_id}",
    en="The job goes on. To see it again: eco2 {command} --job {job_id}",
)


def check(file: Path, suffixes: Collection[str], kind: str, largest: int) -> None:
    """Looks at a file before a stack is asked for.

    Args:
        file: To be uploaded.
        suffixes: What its name may end in, lower case.
        kind: What it is to be, with its article.
        largest: Bytes that it may have.

    Raises:
        Misuse: It can't be uploaded; the text says why.
        OSError: Nobody may look at it.
    """
    if file.is_dir():
        raise Misuse(f"{file} is a folder")
    if not file.is_file():
        raise Misuse(f"There is no file {file}")
    if file.suffix.lower() not in suffixes:
        raise Misuse(f"{file.name} isn't {kind} by its name")
    size = file.stat().st_size
    if not size:
        raise Misuse(f"{file} is empty")
    if size > largest:
        raise Misuse(f"{file} is too large: {filesize(size)}, and it may have {filesize(largest)}")


def begin(client: JobsClient, file: Path, content_type: str, request: CreateJobRequest) -> str:
    """Creates a job, uploads its file and starts it; returns its id."""
    with file.open("rb") as content:
        digest = hashlib.sha256()
        while piece := content.read(_PIECE):
            digest.update(piece)
        upload = JobUpload(content_type=content_type, size_bytes=content.tell(), sha256=digest.hexdigest())
        request.upload.CopyFrom(upload)
        content.seek(0)
        return client.upload(client.create(request), content).job_id


def followed(client: JobsClient, job_id: str, name: str, board: Board) -> Job:
    """The job once it has ended; until then it is shown under a name."""
    for job in _states(client, job_id):
        board.update(name, job)
    return job


def _states(client: JobsClient, job_id: str) -> Iterator[Job]:
    """The job whenever it has changed, up to its end: who follows one for an hour loses the network for a while."""
    for _ in range(_CUTS):
        try:
            yield from client.follow(job_id)
            return
        except Disconnected:
            _pause(_CUT_SECONDS)
    yield from client.follow(job_id)


@contextmanager
def left_running(command: str, job_id: str, invocation: Invocation) -> Iterator[None]:
    """Tells who interrupts a command that its job goes on, and how to see it again."""
    try:
        yield
    except KeyboardInterrupt:
        if not invocation.as_json:
            print(_GOES_ON[invocation.locale].format(command=command, job_id=job_id), file=sys.stderr)
        raise
