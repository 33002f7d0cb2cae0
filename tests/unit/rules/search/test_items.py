"""Things with names of their own: each found by all its names, and at odds with no rule."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.errors import NotFound
from mesh.locale import Locale, Text
from rules_svc import wire
from rules_svc.loading import loader
from rules_svc.loading.reloader import LoadedRulebook, packaged
from rules_svc.rulebook.items import Item
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.rules import Rule
from rules_svc.search.index import ItemIndex
from tests.unit.rules.rulebook import contradictions

GLOW_STICK = "{ko: 야광봉, en: glow stick, category: 일반종량제폐기물}"
# Places to put something that a note may name.
BINS = {
    Locale.KO: re.compile(r"종량제봉투|마대|의류수거함|전용 ?봉투|폐건전지 수거함|종이팩 수거함"),
    Locale.EN: re.compile(r"volume-rate bag|sack|clothing bin|battery box|carton bin"),
}
# What makes a sentence of a note about another case, or about a part of the item.
EXCEPTION = {
    Locale.KO: re.compile(r"[가-힣]면(?=[ ,])|^\S{1,12}(?: \S{1,6})?[은는] |때는|지역|[가-힣] 것[은도]"),
    Locale.EN: re.compile(r"\b(?:if|when|where|unless|ones?|the|some|its|with|without|of)\b", re.IGNORECASE),
}


@pytest.fixture(scope="module")
def index() -> ItemIndex:
    """The index of the rule book as it ships."""
    return packaged().items


def test_each_item_comes_first_and_surely_by_each_of_its_names(index: ItemIndex, book: Rulebook) -> None:
    """In both languages, and as the item itself: its category alone would lose its tags and its note."""
    missed = []
    for item in book.items:
        for name in (item.name.ko, item.name.en, *item.also.ko, *item.also.en):
            found = index.search(name, 1)
            if not found or found[0].item is not item or not found[0].sure:
                missed.append((name, found))
    assert missed == []


def test_a_better_match_of_its_category_does_not_lose_an_item(folder: Path) -> None:
    """The material says where a plastic glow stick goes, and the item what else there is to know."""
    add(folder, "{ko: 야광봉, en: glow stick, category: 재활용폐기물/플라스틱류, tags: [소형]}")
    found = ItemIndex.of(loader.load(folder)).search("플라스틱 야광봉", 1)[0]
    assert (found.path[-1], found.sure, found.tags) == ("플라스틱류", True, ("소형",))


def test_an_item_brings_its_tags_note_source_and_day(folder: Path) -> None:
    """In the language that was asked for."""
    add(folder, GLOW_STICK[:-1] + ", tags: [소형], note: {ko: 꺾지 않아요., en: Don't snap it.}, as_of: '2026-11-28'}")
    edition = LoadedRulebook.load(folder)
    found = edition.items.search("쓰던 야광봉은 어디에 버려요?", 1)[0]
    told = {locale: wire.from_item_match(found, edition.book.taxonomy, locale) for locale in Locale}
    assert [told[Locale.KO].note, told[Locale.EN].note] == ["꺾지 않아요.", "Don't snap it."]
    assert (list(told[Locale.KO].tags), told[Locale.KO].source, told[Locale.KO].as_of) == (
        ["소형"],
        "사전",
        "2026-11-28",
    )
    category = edition.items.search("종량제", 1)[0]
    assert wire.from_item_match(category, edition.book.taxonomy, Locale.KO).source == ""


def test_a_note_that_its_source_does_not_tell_says_so(folder: Path) -> None:
    """General advice must not look official."""
    add(folder, GLOW_STICK[:-1] + ", note: {ko: 꺾지 않아요., en: Don't snap it.}, advice: true}")
    edition = LoadedRulebook.load(folder)
    found = edition.items.search("야광봉", 1)[0]
    told = [wire.from_item_match(found, edition.book.taxonomy, locale).source for locale in Locale]
    assert told == ["사전(덧붙인 말은 일반적인 안내)", "Dictionary (the note is general advice)"]


@pytest.mark.parametrize(
    ("entry", "error", "named"),
    [
        pytest.param("{ko: 야광봉, en: glow stick, category: 일반종량제폐기물/없음}", NotFound, "없음", id="category"),
        pytest.param(GLOW_STICK[:-1] + ", tags: [반짝임]}", ValueError, "반짝임 of 야광봉", id="tag"),
        pytest.param(
            "{ko: 신문지, en: glow stick, category: 일반종량제폐기물}", ValueError, "신문지", id="a category's name"
        ),
        pytest.param(f"{GLOW_STICK}\n  - {GLOW_STICK}", ValueError, "야광봉", id="another item's name"),
        pytest.param(
            GLOW_STICK[:-1] + ", also: {en: [BUBBLE-WRAPS]}}", ValueError, "Bubble wrap", id="written otherwise"
        ),
    ],
)
def test_an_item_that_cannot_be_is_refused(folder: Path, entry: str, error: type[Exception], named: str) -> None:
    """Whoever types a name means one thing, so a name has one owner."""
    add(folder, entry)
    with pytest.raises(error, match=named):
        LoadedRulebook.load(folder)


def test_an_item_may_have_a_name_of_its_own_category(folder: Path) -> None:
    """It then comes with the item's note."""
    add(folder, "{ko: 폐지, en: old paper, category: 재활용폐기물/종이, note: {ko: 묶어요., en: Tie it.}}")
    assert ItemIndex.of(loader.load(folder)).search("폐지", 1)[0].note == Text("묶어요.", "Tie it.")


def test_an_item_may_have_a_part_of_a_categorys_key(folder: Path) -> None:
    """노끈·그물망 is a name of two things, of which one may go elsewhere."""
    add(folder, "{ko: 그물망, en: cargo net, category: 대형폐기물}")
    found = ItemIndex.of(loader.load(folder)).search("그물망", 1)[0]
    assert (found.path, found.sure) == (("대형폐기물",), True)


def test_no_note_contradicts_the_rule_it_is_read_with(book: Rulebook) -> None:
    """Nor names, but for a case or a part of its own, another bin than the rule does."""
    wrong = []
    for item in book.items:
        rule = book.match(item.path, item.tags)[0]
        for locale in Locale:
            if item.note and (found := list(_at_odds(item.note[locale], rule, item, locale))):
                wrong.append((item.name.ko, locale, found))
    assert not wrong, wrong


def test_a_note_at_odds_with_its_rule_is_noticed(book: Rulebook) -> None:
    """Else the test above would find nothing, whatever is written."""
    shoes = ("재활용폐기물", "의류및원단", "신발")
    note = Text("불연성 마대에 담아요.", "Put it in a special sack.")
    item = Item(shoes, Text("덧신", "overshoes"), book.taxonomy[shoes].synonyms, (), note, note, "2026-11-29")
    assert all(list(_at_odds(note[locale], book.match(shoes, ())[0], item, locale)) for locale in Locale)


def _at_odds(note: str, rule: Rule, item: Item, locale: Locale) -> Iterator[str]:
    texts = [*(step.text[locale] for step in rule.steps), rule.container[locale]]
    yield from contradictions.between([note, *texts], locale, item.tags)
    told = " ".join([*texts, *(one.instead[locale] for one in rule.exclusions)])
    for sentence in re.split(r"(?<=[.;])\s+", note):
        if not EXCEPTION[locale].search(sentence):
            yield from (bin for bin in BINS[locale].findall(sentence) if bin not in told)


@pytest.mark.parametrize("question", ["플라스틱 뭉툭이", "나무 뭉툭이", "wooden thingamajig"])
def test_of_an_unknown_thing_its_material_is_told_as_a_guess(index: ItemIndex, question: str) -> None:
    """With where to look it up, and never as the answer."""
    found = index.search(question, 5)
    assert not any(one.sure for one in found)
    assert "분리배출.kr" in next(one.note for one in found if one.note)[Locale.EN]


def add(folder: Path, entry: str) -> None:
    """Adds items to a rule book."""
    head = "source: {ko: 사전, en: Dictionary}\nas_of: '2026-05-18'\nitems:\n"
    (folder / "items" / "99_more.yaml").write_text(f"{head}  - {entry}\n", "utf-8")
