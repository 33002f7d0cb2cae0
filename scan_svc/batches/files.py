"""Batches' files: fetched from object storage, read and written by a process of their own."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from signal import SIGKILL, SIGTERM, SIGXCPU

import msgspec
import structlog

from mesh.errors import InvalidArgument, Unavailable
from mesh.process.limits import ENVIRONMENT
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket
from scan_svc.batches.rows import (
    CSV_TYPE,
    EXTENSIONS,
    XLSX_TYPE,
    Contents,
    FileLimits,
    FileReply,
    FileRequest,
    ResultRow,
)
from scan_svc.client_jobs.client_jobs import Upload

_log = structlog.get_logger("batches")

_COMMAND = (sys.executable, "-m", "scan_svc.batches.reader_process")
# Beside a worker in a container of 512 MiB. To write 490,000 cells took 244 MB, and 70 s beside much other work.
_MEGABYTES = 384
_SECONDS = 120
_PATIENCE = 3  # limit by the clock, as a multiple of that on CPU time
_DYING_SECONDS = 1.0
_ANSWER_BYTES = 4096
_SHEET_BYTES = 20 << 20
_DIRECTORY_BYTES = 8 << 20  # the end of a zip, where its directory is
_PIECE = 1 << 18


class BatchFiles:
    """Reads and writes, one file at a time: those that wait for their turn aren't in memory yet.

    Args:
        bucket: Where files are.
        limits: What a file may hold.
        megabytes: Address space of the process.
        seconds: CPU time that it may take.
    """

    def __init__(
        self, bucket: Bucket, limits: FileLimits | None = None, megabytes: int = _MEGABYTES, seconds: int = _SECONDS
    ) -> None:
        self._bucket = bucket
        self._limits = limits or FileLimits()
        self._megabytes = megabytes
        self._seconds = seconds
        self._one = asyncio.Semaphore(1)

    async def read(self, upload: Upload) -> Contents:
        """What is in a batch's file.

        Raises:
            InvalidArgument: SHEET_…: it can't be used.
            Unavailable: Storage doesn't answer, or something outside killed the process.
        """
        async with self._one:
            with _memory() as file, _memory() as nothing, _memory() as output:
                size = await self._fetch(upload, file)
                reply = await self._run(self._request(upload, size), (file, nothing, output))
                return msgspec.json.decode(os.pread(output, reply.size, 0), type=Contents)

    async def write(self, upload: Upload, header: Sequence[str], results: Sequence[ResultRow], key: str) -> int:
        """Stores a batch's sheet with results; of a zip a new one.

        Args:
            upload: The batch's file.
            header: Names of the results' columns.
            results: By row, in rising order.
            key: Where to.

        Returns:
            Bytes of the sheet.

        Raises:
            InvalidArgument: SHEET_TOO_LARGE: with results it doesn't fit.
            Unavailable: As of `read`.
        """
        async with self._one:
            with _memory() as file, _memory() as lines, _memory() as output:
                size = await self._fetch(upload, file)
                with os.fdopen(lines, "wb", closefd=False) as written:
                    written.writelines(msgspec.json.encode(row) + b"\n" for row in results)
                os.lseek(lines, 0, os.SEEK_SET)
                reply = await self._run(self._request(upload, size, header), (file, lines, output))
                content_type = CSV_TYPE if result_extension(upload) == "csv" else XLSX_TYPE
                await self._bucket.write(key, _pieces(output, reply.size), content_type)
                return reply.size

    def _request(self, upload: Upload, size: int, header: Sequence[str] = ()) -> FileRequest:
        return FileRequest(size, EXTENSIONS[upload.content_type] == "zip", self._limits, list(header))

    async def _fetch(self, upload: Upload, file: int) -> int:
        """Brings a sheet, or the end of a zip, to where it is in the file; returns the file's size."""
        size, zipped = upload.size_bytes, EXTENSIONS[upload.content_type] == "zip"
        if not zipped and size > _SHEET_BYTES:
            raise InvalidArgument(Reason.SHEET_TOO_LARGE, limit=f"{_SHEET_BYTES:,} bytes")
        start = max(0, size - _DIRECTORY_BYTES) if zipped else 0
        os.ftruncate(file, size)
        os.pwrite(file, await self._bucket.part(upload.object_key, start, size - start), start)
        return size

    async def _run(self, request: FileRequest, files: Sequence[int]) -> FileReply:
        """Has a request answered.

        Raises:
            InvalidArgument: The file is refused, or more than the process could take.
            Unavailable: Something outside killed the process.
        """
        process = _Process(self._megabytes, self._seconds)
        try:
            message = await process.answer(msgspec.json.encode(request), files, self._seconds * _PATIENCE)
        except TimeoutError as error:
            raise _too_much(f"{self._seconds} s") from error
        finally:
            status = await process.end()
        if message:
            reply = msgspec.json.decode(message, type=FileReply)
            if reply.reason:
                raise InvalidArgument.stored(reply.reason, reply.metadata)
            return reply
        _log.warning("the process of a batch's file died", status=status, file_bytes=request.size)
        if status in (-SIGKILL, -SIGTERM):
            raise Unavailable(Reason.UNAVAILABLE, peer="reader", retry_after=1.0)
        raise _too_much(f"{self._seconds} s" if status == -SIGXCPU else f"{self._megabytes} MiB")


class _Process:
    """One process of `scan_svc.batches.reader_process`."""

    def __init__(self, megabytes: int, seconds: int) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._child: subprocess.Popen[bytes] = subprocess.Popen(
                [*_COMMAND, str(megabytes), str(seconds)],
                stdin=theirs.fileno(),
                stderr=subprocess.DEVNULL,  # Rust would tell of its allocations
                env=dict(ENVIRONMENT),
            )
        ours.setblocking(False)
        self._wire = ours

    async def answer(self, message: bytes, files: Sequence[int], seconds: float) -> bytes:
        """The reply to one request; empty if the process died.

        Raises:
            TimeoutError: It took too long.
        """
        try:
            socket.send_fds(self._wire, [message], files)
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().sock_recv(self._wire, _ANSWER_BYTES)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            return b""

    async def end(self) -> int:
        """Ends it; returns its exit status, minus the signal's number if one killed it."""
        self._wire.close()
        return await asyncio.to_thread(self._wait)

    def _wait(self) -> int:
        with suppress(subprocess.TimeoutExpired):
            return self._child.wait(_DYING_SECONDS)
        self._child.kill()
        return self._child.wait()


def result_extension(upload: Upload) -> str:
    """What the sheet with results is: as the batch's own; of a zip a workbook."""
    return "csv" if EXTENSIONS[upload.content_type] == "csv" else "xlsx"


@contextmanager
def _memory() -> Iterator[int]:
    """A file in memory, as large as what is written to it; its descriptor."""
    descriptor = os.memfd_create("batch")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def _pieces(descriptor: int, size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, _PIECE):
        yield os.pread(descriptor, min(_PIECE, size - start), start)


def _too_much(limit: str) -> InvalidArgument:
    return InvalidArgument(Reason.SHEET_TOO_LARGE, limit=limit)
