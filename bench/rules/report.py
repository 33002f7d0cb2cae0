"""The figures as Markdown: a row for each kind of question in each language."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from bench.rules.evaluation import Outcome
from mesh.locale import Locale

_HEADINGS = (
    "kind", "language", "asked", "right first", "among three", "sure and wrong", "nothing", "told", "tag set",
)  # fmt: skip


def table(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The rows, with a heading. What a kind doesn't ask for stays empty."""
    yield _row(_HEADINGS)
    yield _row(["---"] * len(_HEADINGS))
    of_kind: dict[tuple[str, Locale], list[Outcome]] = defaultdict(list)
    for one in outcomes:
        of_kind[one.question.kind, one.question.locale].append(one)
    for (kind, locale), of in of_kind.items():
        first = of[0].question
        yield _row(
            [
                kind,
                locale,
                str(len(of)),
                _share([one.first for one in of], first.bins),
                _share([one.among for one in of], first.bins),
                _share([one.misled for one in of], first.bins),
                _share([not one.found for one in of], True),
                _share([one.told for one in of], first.told),
                _share([one.tagged for one in of], first.of),
            ]
        )


def misses(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """What to mend, a line each."""
    for one in outcomes:
        if one.wrong:
            found = ", ".join("/".join(path) for path in one.found) or "nothing"
            yield f"{one.question.kind}: {one.question.text} → {'' if one.sure else 'perhaps '}{found}"


def quantiles(what: str, seconds: Sequence[float]) -> str:
    """What something takes."""
    taken = sorted(seconds)
    p50, p99 = (taken[int(len(taken) * share)] * 1000 for share in (0.5, 0.99))
    return f"{what}: {p50:.2f} ms of CPU (p50), {p99:.2f} ms of CPU (p99)."


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(of: Sequence[bool], asked_for: object) -> str:
    return f"{sum(of)} ({sum(of) / len(of):.1%})" if asked_for else ""
