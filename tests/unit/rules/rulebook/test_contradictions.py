"""No text contradicts itself: every rule in every situation, in pairs of situations and in every region."""

import itertools
from collections.abc import Mapping, Sequence

import pytest

from mesh.locale import Locale
from rules_svc.answers.composer import Classification, Composer
from rules_svc.answers.questions import Questions
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.rules import Rule
from rules_svc.rulebook.taxonomy import Path
from tests.unit.rules.rulebook import contradictions

LOCALES = tuple(Locale)
SOMEWHERE = ResolvedRegion(said="어딘가")


@pytest.mark.parametrize(
    ("locale", "lines", "tags"),
    [
        (Locale.KO, ["불에 타지 않는 그릇에 담아 두어요.", "부풀었거나 뜨거우면 만지지 말고 두세요."], ["배터리_부풂"]),
        (Locale.KO, ["불에 타지 않는 그릇에 담아 두어요.", "하나씩 비닐봉지에 넣어요."], []),
        (Locale.KO, ["수거함에 바로 넣지 말고 전화해요.", "수거함에는 언제든 넣을 수 있어요."], []),
        (Locale.KO, ["건드리지 말고 물을 뿌려 가루를 잡아요.", "조각을 봉투에 담아요."], []),
        (Locale.KO, ["남은 가스를 스스로 빼지 않아요.", "노즐을 눌러 가스를 모두 빼요."], []),
        (
            Locale.EN,
            ["Don't put it in a box; telephone first.", "Any time; where the box is indoors, as it opens."],
            [],
        ),
        (Locale.EN, ["Put it in a fireproof dish.", "Put it in a plastic bag by itself."], []),
        (Locale.KO, ["약품이 묻은 것은 씻지 말고 밀봉해요.", "물로 헹궈요."], []),
        (Locale.KO, ["이 종이는 재활용할 수 없어요.", "종이 수거함에 넣어요."], []),
        (Locale.KO, ["대형 폐기물로 신고하고 수수료를 내요.", "종량제봉투에 담아요."], []),
        (Locale.KO, ["하수구에 버리지 마세요.", "남은 물은 하수구에 버려요."], []),
        (Locale.KO, ["다른 세제와 섞지 마세요.", "물과 섞어 버려요."], []),
        (Locale.EN, ["Don't wash it; seal it.", "Rinse it with water."], []),
        (Locale.EN, ["It can't be recycled.", "Put it in the paper bin."], []),
        (Locale.EN, ["Never pour it down the drain.", "What is left goes down the drain."], []),
        (Locale.EN, ["Declare it to the district office.", "Put it in a volume-rate bag."], []),
    ],
)
def test_a_contradiction_is_noticed(locale: Locale, lines: list[str], tags: list[str]) -> None:
    """What was once said to people, and must be found again wherever it stands."""
    assert contradictions.between(lines, locale, tags)


def test_a_condition_that_does_not_hold_forbids_nothing() -> None:
    """A warning about a broken lamp says nothing about a whole one."""
    lines = ["깨지지 않게 감싸서 가져가요.", "깨졌다면 만지지 말고 환기하세요."]
    assert contradictions.between(lines, Locale.KO) == []


def test_no_rule_contradicts_itself_in_any_situation(book: Rulebook) -> None:
    """Each category in each situation that changes its rule, and in each two of them."""
    wrong, judged = {}, set[object]()
    for path, alone in _situations(book).items():
        pairs = itertools.combinations([tag for (tag,) in list(alone)[1:]], 2)
        together = ((pair, book.match_in(path, pair, SOMEWHERE).rules) for pair in pairs)
        for tags, (rule, *_) in itertools.chain(alone.items(), together):
            # Many situations lead to the same texts: those are judged once.
            texts = (rule.steps, rule.hazards, rule.container, rule.when, rule.place, contradictions.held(tags))
            if texts in judged:
                continue
            judged.add(texts)
            for locale in LOCALES:
                if found := contradictions.within(rule, locale, tags):
                    wrong["/".join(path), *tags, locale] = found
    assert wrong == {}


def test_no_rule_contradicts_itself_in_any_region(book: Rulebook) -> None:
    """Each rule with each region's days, places and bags."""
    wrong = {}
    for region in filter(None, map(book.regions.of_key, book.regions.overlays)):
        for path in book.rules:
            rule = book.match_in(path, (), ResolvedRegion(region, region.key)).rules[0]
            for locale in LOCALES:
                if found := contradictions.within(rule, locale):
                    wrong["/".join(path), region.key, locale] = found
    assert wrong == {}


def test_no_answer_contradicts_itself(book: Rulebook, questions: Questions) -> None:
    """What is composed of a rule says no more and no less, and so does a reply to where and when."""
    composer = Composer(questions)
    wrong = {}
    for path, tags, rules in ((path, *one) for path, alone in _situations(book).items() for one in alone.items()):
        for locale, question in ((Locale.KO, "어디에 언제 버려요?"), (Locale.EN, "Where and when?")):
            told = [rule.localized(locale) for rule in rules]
            answer = composer.compose(Classification(path, tags=tags), told, question, locale)
            if found := contradictions.between(answer.text.splitlines(), locale, tags):
                wrong["/".join(path), *tags, locale] = found
    assert wrong == {}


def test_a_situation_that_changes_where_a_thing_goes_changes_the_whole_rule(book: Rulebook) -> None:
    """Only a redirect brings steps, container, day and place together."""
    assert [tag.key for tag in book.tags.values() for effect in tag.effects if effect.container] == []


def _situations(book: Rulebook) -> Mapping[Path, Mapping[tuple[str, ...], Sequence[Rule]]]:
    """The rules for each rule's category: first with no tag, then with each tag that changes them."""
    found = {}
    for path in book.rules:
        matched = {tags: book.match_in(path, tags, SOMEWHERE).rules for tags in [(), *((key,) for key in book.tags)]}
        found[path] = {tags: rules for tags, rules in matched.items() if not tags or rules[0] != matched[()][0]}
    return found
