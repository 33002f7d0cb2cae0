"""How much work it is to read a text, whatever stands in it: counted, since a clock tells as much of the machine."""

import random
import unicodedata
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.locale import Locale
from rules_svc.answers.composer import Classification
from rules_svc.loading.reloader import packaged
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.search.matcher import Matcher
from rules_svc.search.phrases import MOST_LETTERS
from rules_svc.search.spelling import MOST_COMPARED, Spellings, letters
from tests.support.call_count import calls_made

# Some 0.3 µs each; the worst text of a hundred takes 8,174, half of them for words not read before.
MOST_CALLS = 10_000


@pytest.fixture(scope="module")
def names() -> list[str]:
    """All names, as people would write them."""
    return [name.text for name in packaged().items.names]


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    """As every request is read."""
    return packaged().matcher


def _filled(piece: Callable[[], str], between: str) -> str:
    text = ""
    while len(text) < MOST_LETTERS:
        text += piece() + between
    return text[:MOST_LETTERS]


@pytest.mark.parametrize("between", ["", " ", ", ", "\u200b"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_text_full_of_names_and_states_is_little_work(
    matcher: Matcher, book: Rulebook, names: list[str], between: str, form: str
) -> None:
    """All different, a few again and again, or one token; of names, of the words for situations, or of both."""
    dice = random.Random(13)
    states = [word for tag in book.tags.values() for ways in tag.said for one in ways.said for word in one[-1]]
    for pool in (names, states, [*names, *states]):
        for kinds in (len(pool), 4, 1):
            text = _filled(partial(dice.choice, dice.sample(pool, kinds)), between)
            assert calls_made(partial(matcher.read, unicodedata.normalize(form, text))) < MOST_CALLS, text


@pytest.mark.parametrize(
    "text",
    [
        *("가" * 500, "ㄱ" * 500, "안" * 500, "페트 " * 166, "pet bottle " * 45, "은는이가" * 125, "없 " * 250),
        *("e" + "\u0301\u0316" * 249, "가" + "\u0300" * 499, "\u200b" * 500, "ﷺ" * 500, "Ⅷ㍿" * 250, "🗑" * 500),
        *(unicodedata.normalize("NFD", "플라스틱") * 60, "페\u200b트\u200b병\u200b" * 80, "a" * 500, "not " * 125),
        *("병 (" + " " * 400 + ")", "병(" + "가" * 400 + ")", "병(유리) " * 80, "get rid of " * 45, "bag for " * 62),
        *("<script>alert('페트병')</script><b>병</b>&nbsp;" * 12, "' OR 1=1; DROP TABLE items;-- " * 17),
        *("\u202e병트페 \u202c" * 60, "زجاجة بلاستيكية " * 30, "ペットボトル" * 80, "½ " * 250, "İ" * 500),
        *("broken " * 71, "broken, " * 62, "깨지지 않 " * 83, "플라스틱용기비닐봉지" * 50, "(" * 500, "병(" * 250),
    ],
)
def test_the_worst_that_somebody_may_send_is_little_work(matcher: Matcher, text: str) -> None:
    """Repeated syllables, one token, marks on marks, mixed forms, letters that can't be seen."""
    assert calls_made(partial(matcher.read, text)) < MOST_CALLS


@settings(max_examples=80, derandomize=True, deadline=None, database=None)
@given(
    st.lists(st.sampled_from("가나깨병통비닐ㄱㅏ안못지않 ,.abes'\u0301\u200b\u1100\u1161ﷺ"), max_size=60),
    st.integers(1, 60),
)
def test_no_text_is_much_work(matcher: Matcher, piece: list[str], times: int) -> None:
    """Whatever its letters, and however often they come again."""
    assert calls_made(partial(matcher.read, ("".join(piece) * times)[:MOST_LETTERS])) < MOST_CALLS


@pytest.mark.parametrize(
    "piece", ["말고 ", "지지지지 않", "아니 ", "not a b ", "유리 말고 병 말고 ", "아니요, ", "no, "]
)
def test_a_reply_that_denies_again_and_again_is_little_work(piece: str) -> None:
    """Only the first things it denies are looked up among the names."""
    reply, edition = (piece * MOST_LETTERS)[:MOST_LETTERS], packaged()
    path = ("재활용폐기물", "조명제품")
    rules = [rule.localized(Locale.KO) for rule in edition.book.match(path, ())]
    interpret = partial(edition.replies.interpret, Classification(path), rules, "", "", reply, Locale.KO)
    assert calls_made(interpret) < MOST_CALLS


def test_what_stands_behind_the_first_names_of_a_long_text_changes_nothing(matcher: Matcher) -> None:
    """Eight words are looked at, wherever the text ends, and even if something is added in brackets over its length."""
    begun = "유리병 페트병 종이컵 건전지 형광등 우유팩 비닐봉지 캔 소파 의자 책상 이불 "
    for rest in ("라벨은 떼었는데 뚜껑은 ", "상자 (안에 든 것은 ", "can you throw it, i ", "for me "):
        text = (begun + rest * 40)[:MOST_LETTERS]
        assert [one.path for one in matcher.items(text)] == [one.path for one in matcher.items(begun)]


def test_more_than_is_read_is_no_more_work(matcher: Matcher) -> None:
    """A reply may be longer than a question; both are read up to the same letter."""
    text = "깨진 플라스틱 용기에 기름이 묻었어요. " * 24
    once, often = (calls_made(partial(matcher.read, of[:MOST_LETTERS])) for of in (text, text * 40))
    assert matcher.read(text * 40) == matcher.read((text * 40)[:MOST_LETTERS])
    assert often <= once


def test_few_names_are_compared_with_a_misspelt_one(names: list[str]) -> None:
    """However many share a trigram with it."""
    spellings, dice = Spellings(names), random.Random(13)
    common = sorted(names, key=len)[-200:]
    for name in [*common, *("플라스틱" * times for times in range(1, 20)), "".join(dice.sample(names, 3))]:
        assert len(spellings.near(letters(name), 0.7)) <= MOST_COMPARED
