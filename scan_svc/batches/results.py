"""What is written beside a batch's rows: what each photo shows and how it is put out, or why that isn't known."""

from collections.abc import Sequence

from mesh.errors import EcoError
from mesh.locale import Locale, Text
from scan_svc.batches.rows import ResultRow
from scan_svc.messages import message
from scan_svc.scans import Scan, State, Step

_HEADER = (
    Text(ko="결과", en="Result"),
    Text(ko="품목", en="Item"),
    Text(ko="분류", en="Category"),
    Text(ko="배출 방법", en="How to put it out"),
    Text(ko="배출함", en="Bag or container"),
    Text(ko="확신도", en="Confidence"),
    Text(ko="비용(USD)", en="Cost (USD)"),
    Text(ko="이유", en="Reason"),
)
_FILE = Text(ko="파일", en="File")
_REPEATED = Text(ko="{first}번째 줄과 같아요", en="Same as row {first}")
_NOT_DONE = Text(ko="처리하지 못했어요", en="Not done")
_MICRO = 1_000_000


def header(locale: Locale, of_zip: bool = False) -> list[str]:
    """The names of the columns; a zip's sheet begins with the photos' names."""
    return [*([_FILE[locale]] if of_zip else []), *(name[locale] for name in _HEADER)]


def scanned(number: int, scan: Scan, locale: Locale) -> ResultRow:
    """A row whose scan has ended."""
    found, rule = scan.results.vision, next(iter(scan.results.rules or ()), None)
    shown = scan.state is State.SUCCEEDED and found is not None
    return ResultRow(
        number,
        [
            message(scan.state, scan.step, locale),
            found.display_name if shown and found else "",
            found.category.path.replace("/", " › ") if shown and found else "",
            "\n".join(f"{place}. {step}" for place, step in enumerate(rule.steps, 1)) if shown and rule else "",
            rule.container if shown and rule else "",
            _rounded(found.confidence) if shown and found else None,
            cost(scan) / _MICRO,
            scan.error.error().text(locale) if scan.error else "",
        ],
    )


def repeated(number: int, first: ResultRow, locale: Locale) -> ResultRow:
    """A row that is the same as an earlier one: what that shows, paid once."""
    result, *cells, _, reason = first.cells
    note = _REPEATED[locale].format(first=first.number)
    return ResultRow(number, [result, *cells, 0.0, reason or note])


def refused(number: int, error: EcoError | None, locale: Locale) -> ResultRow:
    """A row without a scan."""
    failed = message(State.FAILED, Step.DONE, locale)
    blanks: Sequence[None] = [None] * (len(_HEADER) - 3)
    return ResultRow(number, [failed, *blanks, 0.0, error.text(locale) if error else _NOT_DONE[locale]])


def _rounded(value: float | None) -> float | None:
    """As many digits as mean something: Vision's numbers come with half of a float's."""
    return None if value is None else round(value, 6)


def cost(scan: Scan) -> int:
    """What models have cost for a scan, in millionths of a US dollar."""
    return sum(run.usage.cost_micro_usd for run in scan.stages if run.usage)
