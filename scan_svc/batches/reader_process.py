"""The process that reads and writes batches' files, and does nothing else.

C and Rust code reads untrusted bytes here. So this process has none of the service's keys, no gRPC, limits on memory
and time, and no descriptor left to open a file or a connection with.

`scan_svc.batches.files` starts it with one end of a socket pair as its standard input. It gets one request, with the
descriptors of files in memory: the batch's file, what else is read, and where to write. It answers once, in JSON, and
ends.
"""

import os
import socket
import sys
import warnings
from itertools import chain

import msgspec

from mesh.errors import EcoError, InvalidArgument
from mesh.process.limits import limit_process, limit_time
from mesh.reasons import Reason
from scan_svc.batches.rows import Contents, FileReply, FileRequest, ResultRow
from scan_svc.batches.sheet import read_sheet, rows_of, whole
from scan_svc.batches.sheet_writer import write_sheet, write_workbook
from scan_svc.batches.zip_directory import read_directory

_DESCRIPTORS = 8  # the socket, output, errors; three files, a map, one to spare
_REQUEST_BYTES = 65_536
_SHEET_OF_ZIP = "Eco2"


def main(megabytes: int, seconds: int) -> None:
    """Answers one request.

    Args:
        megabytes: Address space this process may use.
        seconds: CPU time it may take.
    """
    warnings.simplefilter("ignore")  # of libraries, about what users' files hold
    with socket.socket(fileno=sys.stdin.fileno()) as wire:
        limit_process(megabytes, _DESCRIPTORS)
        limit_time(seconds)
        message, descriptors, _, _ = socket.recv_fds(wire, _REQUEST_BYTES, 3)
        wire.send(msgspec.json.encode(_answer(message, *descriptors)))


def _answer(message: bytes, file: int, results: int, output: int) -> FileReply:
    request = msgspec.json.decode(message, type=FileRequest)
    try:
        if request.header:
            _write(request, file, results, output)
        else:
            with os.fdopen(output, "wb", closefd=False) as written:
                written.write(msgspec.json.encode(_contents(request, file)))
    except EcoError as error:
        return FileReply(reason=error.reason, metadata=dict(error.metadata))
    except MemoryError:
        return FileReply(reason=Reason.SHEET_TOO_LARGE, metadata={"limit": "memory"})
    except Exception as error:  # hostile bytes make libraries raise almost anything
        detail = InvalidArgument(Reason.SHEET_UNREADABLE, detail=type(error).__name__).metadata
        return FileReply(reason=Reason.SHEET_UNREADABLE, metadata=dict(detail))
    return FileReply(size=os.lseek(output, 0, os.SEEK_CUR))


def _contents(request: FileRequest, file: int) -> Contents:
    if request.zipped:
        with os.fdopen(file, "rb", closefd=False) as archive:
            return Contents(photos=read_directory(archive, request.limits))
    return Contents(rows=rows_of(read_sheet(whole(file, request.size), request.limits)))


def _write(request: FileRequest, file: int, results: int, output: int) -> None:
    with os.fdopen(results, "rb", closefd=False) as lines, os.fdopen(output, "wb", closefd=False) as written:
        beside = (msgspec.json.decode(line, type=ResultRow) for line in lines)
        if request.zipped:
            write_workbook(chain([request.header], (row.cells for row in beside)), _SHEET_OF_ZIP, written)
        else:
            sheet = read_sheet(whole(file, request.size), request.limits)
            write_sheet(sheet, request.header, beside, written)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
