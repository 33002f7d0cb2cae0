"""`python -m rules_svc.imports FILE --mapping NAME` imports a public data set (CSV) as places.

It needs ECO2_DATABASE_URL only. The result is printed as one JSON object; a rejected row is written to the report as a
JSON object a line, and the rest is imported all the same. If the import fails, a line on standard error says why. Exit
status 1: refused, or the database is down; 2: the arguments or settings are wrong.
"""

import argparse
import asyncio
import json
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

import asyncpg

from mesh.migrations import NOT_AN_ADDRESS, direct_address
from rules_svc.places.csv_reader import UnreadableFile, encoding_of, rows
from rules_svc.places.importer import Changes, Importer, Row, WouldShrink, row_of
from rules_svc.places.mappings import Mapping, RejectedRow, RejectionReason, RowReader, load_mapping, names
from rules_svc.places.places import SAMPLE

_CONNECT, _HOUR = 10.0, 3600.0
_SOURCE = re.compile(r"[a-z][a-z0-9_.-]{0,59}")
_RESERVED = (SAMPLE, "kakao")
_LOST = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionError,
    TimeoutError,
)


class ImportRefused(Exception):
    """Nothing was changed; the text says why and what to do."""


class Misuse(Exception):
    """Arguments or settings are wrong; the text says which."""


@dataclass(slots=True)
class Report:
    """Counts the rows, and writes down the rejected ones.

    Args:
        out: Where rejected rows are written, if anywhere.

    Attributes:
        rows: How many there were, the header apart.
        rejected: How many were rejected, by reason.
    """

    out: TextIO | None
    rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def reject(self, line: int, rejected: RejectedRow) -> None:
        """Counts and writes down a rejected row."""
        self.rejected[rejected.reason] += 1
        if self.out is not None:
            print(json.dumps({"line": line, **asdict(rejected)}, ensure_ascii=False), file=self.out)


async def take(
    file: Path, mapping: Mapping, source: str, dsn: str, report: Report, *, may_shrink: bool = False
) -> dict[str, Any]:
    """Imports a file.

    Args:
        file: The CSV.
        mapping: Its format.
        source: Name of the source; importing another file under this name replaces its places.
        dsn: The database.
        report: Where rejected rows are written.
        may_shrink: Whether most of the source's places may be retired.

    Returns:
        What was done, as it is printed.

    Raises:
        Refused: Nothing was changed.
        Unreadable: The file isn't CSV.
        Misuse: The database's address isn't valid.
    """
    started = time.monotonic()
    encoding = encoding_of(file)
    sheet = rows(file, encoding)
    _, header = next(sheet, (0, []))
    try:
        reader = mapping.reader(header)
    except ValueError as error:
        raise ImportRefused(str(error)) from None
    connection = await _connect(dsn)
    try:
        intake = Importer(connection)
        changes = await intake.take(source, _staged(sheet, reader, report), may_shrink=may_shrink)
    except WouldShrink as error:
        raise ImportRefused(
            f"{error}. If that is meant: --may-shrink. Another town's file needs its own --source."
        ) from None
    finally:
        await connection.close()
    for line in changes.clashing:
        report.reject(line, RejectedRow(RejectionReason.ID_USED_TWICE))
    return _told(source, encoding, report, changes) | {"seconds": round(time.monotonic() - started, 2)}


async def _connect(dsn: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(dsn, timeout=_CONNECT, command_timeout=_HOUR, server_settings={"jit": "off"})
    except ValueError:  # asyncpg raises it for an invalid address
        raise Misuse(NOT_AN_ADDRESS) from None
    except OSError as error:
        raise ImportRefused(f"PostgreSQL: {_line(error)}") from None


async def _staged(sheet: Iterator[tuple[int, list[str]]], reader: RowReader, report: Report) -> AsyncIterator[Row]:
    """The rows that are places; the others are reported."""
    for line, row in sheet:
        report.rows += 1
        read = reader.read(row)
        if isinstance(read, RejectedRow):
            report.reject(line, read)
        else:
            yield row_of(line, read)
    if sum(report.rejected.values()) == report.rows:
        reasons = "".join(f", {count} {reason}" for reason, count in sorted(report.rejected.items()))
        raise ImportRefused(f"no row is a place: {report.rows} rows{reasons}")


def _told(source: str, encoding: str, report: Report, changes: Changes) -> dict[str, Any]:
    places = changes.staged - changes.merged - len(changes.clashing)
    return {
        "source": source,
        "encoding": encoding,
        "rows": report.rows,
        "rejected": dict(sorted(report.rejected.items())),
        "merged": changes.merged,
        "inserted": changes.inserted,
        "updated": changes.updated,
        "unchanged": places - changes.inserted - changes.updated,
        "retired": changes.retired,
        "hidden": changes.hidden,
    }


def _source(text: str) -> str:
    if not _SOURCE.fullmatch(text) or text in _RESERVED:
        raise argparse.ArgumentTypeError("lower-case letters, digits, dots, dashes; neither sample nor kakao")
    return text


def _line(error: Exception) -> str:
    """What an error says, without the hints that asyncpg adds in lines below."""
    return str(error).partition("\n")[0] or type(error).__name__


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m rules_svc.imports", description="Imports places from a CSV file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--mapping", required=True, choices=names(), help="the file's format")
    parser.add_argument("--source", type=_source, help="name its places are kept under; default: the mapping's")
    parser.add_argument("--report", type=Path, help="where rejected rows are written, a JSON object a line")
    parser.add_argument("--may-shrink", action="store_true", help="retire even most of the source's places")
    chosen = parser.parse_args()
    try:
        done = _run(chosen)
    except (ImportRefused, UnreadableFile) as error:
        parser.exit(1, f"{error}\n")
    except Misuse as error:
        parser.exit(2, f"{error}\n")
    except _LOST as error:
        parser.exit(1, f"PostgreSQL: {_line(error)}\n")
    except OSError as error:
        if error.filename is None:  # while a file was read or written: the disk is full, or broken
            parser.exit(1, f"{_line(error)}\n")
        parser.exit(2, f"{error.strerror}: {error.filename}\n")
    print(json.dumps(done))


def _run(chosen: argparse.Namespace) -> dict[str, Any]:
    dsn = direct_address(os.environ)
    if not dsn:
        raise Misuse("ECO2_DATABASE_URL is not set")
    if chosen.report and chosen.report.exists() and chosen.report.samefile(chosen.file):
        raise Misuse("the report would overwrite the file itself")
    mapping, source = load_mapping(chosen.mapping), chosen.source or chosen.mapping
    with ExitStack() as held:
        out = held.enter_context(chosen.report.open("w", encoding="utf-8")) if chosen.report else None
        return asyncio.run(take(chosen.file, mapping, source, dsn, Report(out), may_shrink=chosen.may_shrink))


if __name__ == "__main__":
    main()
