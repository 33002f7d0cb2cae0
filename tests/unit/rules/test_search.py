"""Search by name, on the taxonomy that ships: what people type, and what they must find."""

import time
from pathlib import Path

import pytest
import yaml

from rules_svc.rulebook import Rulebook
from rules_svc.search import ItemIndex, initials, letters

CASES: dict[str, str] = yaml.safe_load(Path(__file__).with_name("searches.yaml").read_text("utf-8"))
NONSENSE = [
    *("asdfqwer", "사랑해요", "대통령 선거", "ㅋㅋㅋㅋ", "ㅠㅠ", "!!!", "   ", "12345", "good morning"),
    *("오늘 날씨 어때", "\U0001f5d1", "ㅁㄴㅇㄹ", "quantum physics", "맛집 추천"),
]


@pytest.fixture(scope="module")
def index(book: Rulebook) -> ItemIndex:
    """The index of the rule book as it ships."""
    return ItemIndex.of(book.taxonomy)


def test_the_table_is_large_enough_to_mean_something() -> None:
    """A rate over a handful of queries would be luck."""
    assert len(CASES) >= 100


@pytest.mark.parametrize(("question", "expected"), CASES.items())
def test_what_people_type_is_among_the_first_three(
    index: ItemIndex, book: Rulebook, question: str, expected: str
) -> None:
    """On a phone three results are seen without scrolling."""
    path = tuple(expected.split("/"))
    assert book.taxonomy[path]
    assert path in [found.path for found in index.search(question, 3)]


def test_nineteen_of_twenty_come_first(index: ItemIndex) -> None:
    """The rate the README states, held."""
    first = [question for question, expected in CASES.items() if index.search(question, 1)[0].path == _path(expected)]
    missed = sorted(CASES.keys() - set(first))
    assert len(first) >= 0.95 * len(CASES), missed


@pytest.mark.parametrize("question", NONSENSE)
def test_nothing_is_found_rather_than_something_far_fetched(index: ItemIndex, question: str) -> None:
    """A wrong bin is worse than no answer."""
    assert index.search(question, 5) == []


def test_every_name_and_synonym_finds_its_own_category(index: ItemIndex, book: Rulebook) -> None:
    """Who types exactly what we call it must find it, whatever else has such a name."""
    for node in book.taxonomy:
        for text in (node.name.ko, node.name.en, *node.synonyms.ko, *node.synonyms.en):
            found = {one.path for one in index.search(text, 20) if one.score >= 0.99}
            assert node.path in found, text


def test_scores_fall_and_a_perfect_one_means_the_very_name(index: ItemIndex) -> None:
    """Clients may decide by it whether to ask back."""
    scores = [found.score for found in index.search("페트병", 10)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1.0
    assert all(0.6 <= score <= 1.0 for score in scores)
    assert index.search("스티로퐁", 1)[0].score < 0.9


def test_no_more_are_given_than_asked_for(index: ItemIndex) -> None:
    """The first is the same however many are asked for."""
    assert len(index.search("병", 2)) <= 2
    assert index.search("플라스틱", 1) == index.search("플라스틱", 20)[:1]


@pytest.mark.parametrize(
    "text", ["가" * 100, "ㄱ" * 100, "페트 " * 33, "a b " * 25, "은는이가" * 25, "pet bottle " * 9]
)
def test_the_longest_question_is_answered_quickly(index: ItemIndex, text: str) -> None:
    """The contract allows 100 characters; none of them may cost more than a few milliseconds of everybody's time."""
    best = min(_seconds(index, text) for _ in range(3))
    assert best < 0.02


def test_letters_make_two_spellings_comparable() -> None:
    """ㄴ is ㄴ, whether it starts or ends a syllable."""
    assert letters("안") == "\u110b\u1161\u1102"
    assert initials("페트병 PET") == "\u1111\u1110\u1107"


def _path(text: str) -> tuple[str, ...]:
    return tuple(text.split("/"))


def _seconds(index: ItemIndex, text: str) -> float:
    started = time.perf_counter()
    index.search(text, 20)
    return time.perf_counter() - started
