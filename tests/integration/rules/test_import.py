"""Public data sets taken into the places."""

import asyncio
import io
import json
import random
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from rules_svc.places.csv_reader import UnreadableFile
from rules_svc.places.import_cli import ImportRefused, Report, take
from rules_svc.places.mappings import load_mapping
from rules_svc.places.places import Location
from rules_svc.places.store import PlaceStore

BINS = load_mapping("clothing_bins")
HEADER = "연번,설치장소,도로명주소,위도,경도,관리기관전화번호"
HOME = Location(37.55, 126.92)


class Importer:
    """Imports texts as files would be."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._file = folder / "file.csv"
        self._database_url = database_url
        self.rejected: list[dict[str, Any]] = []

    async def __call__(
        self, *lines: str, header: str = HEADER, source: str = "bins", encoding: str = "utf-8", **options: Any
    ) -> dict[str, Any]:
        self._file.write_bytes("\r\n".join([header, *lines, ""]).encode(encoding))
        out = io.StringIO()
        mapping = options.pop("mapping", BINS)
        done = await take(self._file, mapping, source, self._database_url, Report(out), **options)
        self.rejected = [json.loads(line) for line in out.getvalue().splitlines()]
        return done


@pytest.fixture
def importer(tmp_path: Path, database_url: str) -> Importer:
    return Importer(tmp_path, database_url)


def bins(count: int, *, first: int = 0) -> list[str]:
    """So many bins, a hundred metres and more apart."""
    return [
        f"{number},장소 {number},주소 {number},{37.5 + number * 0.001:.4f},126.92," for number in range(first, count)
    ]


async def test_a_file_becomes_places_that_are_found(importer: Importer, store: PlaceStore) -> None:
    """Name, address, phone and source arrive; nothing says that it is a sample."""
    done = await importer('1,"역 앞, 2번 출구",서울특별시 마포구 1,37.5501,126.9201,02-123-4567')
    assert (done["inserted"], done["encoding"], done["rejected"]) == (1, "utf-8", {})
    (found,) = await store.nearest(HOME, ["의류및원단"], 100, 5)
    place = found.place
    assert (place.name.ko, place.name.en) == ("역 앞, 2번 출구", "Clothing bin (역 앞, 2번 출구)")
    assert (place.address.ko, place.phone, place.source) == ("서울특별시 마포구 1", "02-123-4567", "bins")
    assert not place.is_sample


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
async def test_the_encoding_is_found_out(importer: Importer, store: PlaceStore, encoding: str) -> None:
    """Excel in Korea writes CP949, portals write UTF-8 with a mark, people write it without."""
    done = await importer("1,똠방각하 앞,주소,37.5501,126.9201,", encoding=encoding)
    assert done["encoding"] == encoding
    assert (await store.nearest(HOME, [""], 100, 1))[0].place.name.ko == "똠방각하 앞"


@pytest.mark.parametrize("content", [b"\xff\xfe1\x00,\x00", b"\x80\x81\x82\xff\xff"])
async def test_another_encoding_is_refused(tmp_path: Path, database_url: str, content: bytes) -> None:
    """Better than places with names of question marks."""
    (tmp_path / "file.csv").write_bytes(content)
    with pytest.raises(UnreadableFile):
        await take(tmp_path / "file.csv", BINS, "bins", database_url, Report(None))


async def test_bad_rows_are_told_by_line_and_reason_and_the_rest_is_taken(importer: Importer) -> None:
    """Whoever publishes the file must be able to mend it; nobody else waits for that."""
    done = await importer(
        "1,가,주소,37.5501,126.9201,",
        "2,나,주소,,,",
        "3,다,주소,북위 37도,126.92,",
        "4,라,주소,126.9201,37.5501,",
        "5,마,주소,37.55,126.92,,넘침",
        '6,"두 줄짜리\n이름",주소,37.5601,126.9201,',
        "7,바,주소,nan,126.92,",
        f"8,{'긴' * 600},주소,37.55,126.92,",
        "9,사\0,주소,37.55,126.92,",
    )
    assert [(one["line"], one["reason"]) for one in importer.rejected] == [
        (3, "no_coordinates"),
        (4, "bad_coordinates"),
        (5, "outside_korea"),
        (6, "column_count"),
        (9, "bad_coordinates"),
        (10, "bad_text"),
        (11, "bad_text"),
    ]
    assert importer.rejected[1] == {
        "line": 4, "reason": "bad_coordinates", "column": "latitude", "value": "북위 37도"
    }  # fmt: skip
    assert (done["rows"], done["inserted"], sum(done["rejected"].values())) == (9, 2, 7)


async def test_the_same_file_again_changes_nothing(importer: Importer, connection: asyncpg.Connection) -> None:
    """Not a row is written: a nightly import of an unchanged file costs nothing but reading it."""
    await importer(*bins(30))
    before = await connection.fetch("select place_id, xmin::text from rules.place order by place_id")
    done = await importer(*reversed(bins(30)))
    assert (done["inserted"], done["updated"], done["retired"], done["unchanged"]) == (0, 0, 0, 30)
    assert await connection.fetch("select place_id, xmin::text from rules.place order by place_id") == before


async def test_what_is_gone_from_the_file_is_retired_and_may_come_back(importer: Importer, store: PlaceStore) -> None:
    """A bin that was taken away must not send anybody there; its id stays its own."""
    await importer(*bins(10))
    done = await importer(*bins(10, first=1))
    assert (done["retired"], done["unchanged"]) == (1, 9)
    assert len(await store.nearest(HOME, [""], 50_000, 50)) == 9
    again = await importer(*bins(10))
    assert (again["updated"], again["inserted"]) == (1, 0)
    assert len(await store.nearest(HOME, [""], 50_000, 50)) == 10


async def test_each_source_has_its_own(importer: Importer, store: PlaceStore) -> None:
    """One town's file must not retire another's bins."""
    await importer(*bins(10), source="mapo")
    done = await importer(*bins(20, first=10), source="gangnam")
    assert (done["inserted"], done["retired"]) == (10, 0)
    assert len(await store.nearest(HOME, [""], 50_000, 50)) == 20


async def test_a_file_that_lost_most_of_its_places_is_refused(importer: Importer, store: PlaceStore) -> None:
    """A cut download looks just like this. Who means it says so."""
    await importer(*bins(40))
    with pytest.raises(ImportRefused):
        await importer(*bins(10))
    assert len(await store.nearest(HOME, [""], 50_000, 50)) == 40
    assert (await importer(*bins(10), may_shrink=True))["retired"] == 30


async def test_a_file_without_a_place_is_refused(importer: Importer, store: PlaceStore) -> None:
    """Neither an empty one nor one of another format may retire everything."""
    await importer(*bins(3))
    for lines in ((), ("1,가,주소,,,",)):
        with pytest.raises(ImportRefused) as refused:
            await importer(*lines, may_shrink=True)
        assert "{" not in str(refused.value)  # a person reads it, not Python
    with pytest.raises(ImportRefused):
        await importer("1,2", header="이름,주소")
    assert len(await store.nearest(HOME, [""], 50_000, 50)) == 3


async def test_doubles_of_a_kind_within_fifty_metres_are_merged(importer: Importer, store: PlaceStore) -> None:
    """0.0004° of latitude are 44 m, 0.0006° are 67 m. What one row doesn't say the other adds."""
    done = await importer(
        "1,가,주소,37.5500,126.9200,", "2,나,주소,37.5504,126.9200,02-1", "3,다,주소,37.5510,126.9200,"
    )
    assert (done["merged"], done["inserted"]) == (1, 2)
    near = await store.nearest(HOME, [""], 1000, 5)
    assert "02-1" in {nearby.place.phone for nearby in near}


async def test_one_spot_with_thousands_of_rows_is_one_place(importer: Importer) -> None:
    """A file geocoded to the town hall must not take hours."""
    dice = random.Random(3)
    rows = [f"{n},{n},주소,{37.55 + dice.uniform(0, 1e-4):.7f},126.92," for n in range(5000)]
    done = await importer(*rows)
    assert (done["merged"], done["inserted"]) == (4999, 1)


async def test_two_kinds_in_one_spot_are_two_places(importer: Importer) -> None:
    """A battery box and a lamp box often hang side by side."""
    mapping = load_mapping("battery_lamp_boxes")
    header = "관리번호,설치장소명,도로명주소,위도,경도,구분,운영시간"
    done = await importer(
        "A1,주민센터,주소,37.55,126.92,폐건전지,평일 09:00~18:00",
        "A2,주민센터,주소,37.55,126.92,폐형광등,평일 09:00~18:00",
        "A3,주민센터,주소,37.55,126.92,폐식용유,",
        header=header,
        mapping=mapping,
    )
    assert (done["inserted"], done["rejected"]) == (2, {"unknown_kind": 1})


async def test_an_id_that_two_places_use_is_told(importer: Importer) -> None:
    """Which of the two is right nobody can know; the first is kept."""
    header = f"관리번호,{HEADER}"
    done = await importer("A1,1,가,주소,37.55,126.92,", "A1,2,나,주소,37.60,126.92,", header=header)
    assert done["rejected"] == {"id_used_twice": 1}
    assert importer.rejected[-1]["line"] == 3


async def test_a_place_keeps_its_id_when_its_row_changes(importer: Importer, store: PlaceStore) -> None:
    """With an id in the file a new name is the same place."""
    header = f"관리번호,{HEADER}"
    await importer("A1,1,가,주소,37.55,126.92,", header=header)
    done = await importer("A1,1,새 이름,주소,37.5501,126.92,", header=header)
    assert (done["inserted"], done["updated"]) == (0, 1)
    (found,) = await store.nearest(HOME, ["의류및원단"], 100, 5)
    assert (found.place.place_id, found.place.name.ko) == ("bins:A1", "새 이름")


async def test_two_sources_that_tell_of_one_place_show_it_once(importer: Importer, store: PlaceStore) -> None:
    """Who came first is shown; when it goes the other one comes back."""
    await importer("1,가,주소,37.5500,126.9200,", "2,멀리,주소,37.5600,126.9200,", source="town")
    done = await importer("1,나,주소,37.5502,126.9200,", source="office")
    assert done["hidden"] == 1
    assert [one.place.source for one in await store.nearest(HOME, [""], 500, 5)] == ["town"]
    assert (await importer("1,나,주소,37.5502,126.9200,", source="office"))["unchanged"] == 1
    await importer("2,멀리,주소,37.5600,126.9200,", source="town")
    assert [one.place.source for one in await store.nearest(HOME, [""], 500, 5)] == ["office"]


async def test_a_database_without_tables_is_told_in_a_line(
    tmp_path: Path, database_url: str, connection: asyncpg.Connection
) -> None:
    """Whoever forgot to migrate reads of a table, not of asyncpg's modules."""
    await connection.execute("drop schema rules cascade")
    file = tmp_path / "bins.csv"
    file.write_text("\n".join([HEADER, *bins(3)]), "utf-8")
    command = [sys.executable, "-m", "rules_svc.imports", str(file), "--mapping", "clothing_bins"]
    process = await asyncio.create_subprocess_exec(
        *command, env={"ECO2_DATABASE_URL": database_url}, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert process.returncode == 1
    assert len(told.splitlines()) == 1


async def test_a_full_disk_is_not_the_databases_fault(tmp_path: Path, database_url: str) -> None:
    """Whoever reads of PostgreSQL would look there; the report is what has no room."""
    file = tmp_path / "bins.csv"
    file.write_text("\n".join([HEADER, *bins(3), "4,가,주소,,,"]), "utf-8")
    options = ("--mapping", "clothing_bins", "--report", "/dev/full")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rules_svc.imports", str(file), *options),
        env={"ECO2_DATABASE_URL": database_url},
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    assert process.returncode == 1
    assert len(told.splitlines()) == 1
    assert b"PostgreSQL" not in told


async def test_the_command_prints_what_it_did(tmp_path: Path, database_url: str) -> None:
    """What `eco2 places import` and a Job of the cluster run."""
    file, report = tmp_path / "bins.csv", tmp_path / "report.jsonl"
    file.write_text("\n".join([HEADER, *bins(3), "4,가,주소,,,"]), "utf-8")
    command = [
        sys.executable,
        "-m",
        "rules_svc.imports",
        str(file),
        "--mapping",
        "clothing_bins",
        "--report",
        str(report),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, env={"ECO2_DATABASE_URL": database_url}, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    done = json.loads(output)
    assert (done["source"], done["rows"], done["inserted"]) == ("clothing_bins", 4, 3)
    assert [json.loads(line)["line"] for line in report.read_text("utf-8").splitlines()] == [5]
