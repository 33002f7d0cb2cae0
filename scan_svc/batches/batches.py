"""Batches, as the service thinks of them: mirrors of `eco2.jobs.v1.BatchSpec` and `BatchResult`, and their texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mesh.locale import Locale

READ, SCAN, WRITE = "read", "scan", "write"

STEPS: Mapping[str, Mapping[Locale, str]] = MappingProxyType(
    {
        READ: {Locale.KO: "파일을 읽고 있어요", Locale.EN: "Reading your file"},
        SCAN: {Locale.KO: "{total}줄 중 {done}줄을 끝냈어요", Locale.EN: "{done} of {total} rows are done"},
        WRITE: {Locale.KO: "결과 파일을 만들고 있어요", Locale.EN: "Writing the file with the results"},
    }
)


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """Mirror of `eco2.jobs.v1.BatchSpec`."""

    rows_per_minute: int = 0
    region: str = ""
    building: str = ""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Mirror of `eco2.jobs.v1.BatchResult`."""

    rows: int
    succeeded: int
    failed: int
    repeated: int
