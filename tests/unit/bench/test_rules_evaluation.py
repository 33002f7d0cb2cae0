"""`make eval-rules`: what counts as right, and what a folder of material adds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.rules.client import RulesClient
from bench.rules.evaluation import Outcome, ask, in_bin, left_out
from bench.rules.material import Question, committed, of_folder
from bench.rules.report import misses, table
from mesh.locale import Locale

QUESTIONS = """
- kind: a-item
  question_ko: 생수병
  question_en: water bottle
  expects: {places: [무색페트병], destination: [페트병], container_must_not: [종량제]}
- kind: b-condition
  question_ko: 곰팡이 핀 책
  search: 책
  tags_any: [곰팡이_있음]
  expects: {must_say: [[종량제]], container_must_not: [종이 수거함]}
- kind: e-board
  question_ko: 보조배터리
  expects: {places: [유리병]}
- kind: c-municipality
  search: 비닐
  region: 서울 마포구
  expects: {must_say: [[수요일]], container_must_not: []}
"""


@pytest.fixture(scope="module")
def client() -> RulesClient:
    """The rule book that ships."""
    return RulesClient()


def test_a_folder_of_material_is_asked_with_all_its_tables(client: RulesClient, tmp_path: Path) -> None:
    """Each kind by its own measure, in the language it is written in; a wrong expectation is a miss."""
    (tmp_path / "cases" / "domain").mkdir(parents=True)
    (tmp_path / "reference").mkdir()
    (tmp_path / "cases" / "items.txt").write_text(
        "# who said so\n보조배터리|재활용폐기물/전지 or 일반종량제폐기물\n", "utf-8"
    )
    (tmp_path / "cases" / "domain" / "questions.yaml").write_text(QUESTIONS, "utf-8")
    entry = {"name": "건전지", "classification": ["재활용폐기물", "전지류"], "similar": ["배터리"]}
    (tmp_path / "reference" / "official-dictionary-730.json").write_text(json.dumps({"items": [entry]}), "utf-8")
    outcomes = [ask(client, question) for question in of_folder(tmp_path)]
    right = {(one.question.kind, one.question.locale): not one.wrong for one in outcomes}
    del right["questions: conditions as replies", Locale.KO]
    assert right == {
        ("items.txt", Locale.KO): True,
        ("questions: items", Locale.KO): True,
        ("questions: items", Locale.EN): True,
        ("questions: conditions as tags", Locale.KO): True,
        ("questions: the public board", Locale.KO): False,
        ("questions: municipalities", Locale.KO): True,
        ("dictionary, names", Locale.KO): True,
        ("dictionary, similar names", Locale.KO): True,
    }
    assert any("보조배터리 → 재활용폐기물/전지" in line for line in misses(outcomes))


@pytest.mark.parametrize(
    ("bins", "right"),
    [
        ({"전지"}, True),
        ({"재활용폐기물"}, True),
        ({"재활용폐기물/전지"}, True),
        ({"재활용폐기물/종이"}, False),
        ({"건전지"}, False),
    ],
)
def test_a_bin_is_a_major_a_middle_or_a_path(bins: set[str], right: bool) -> None:
    """A minor alone is no bin."""
    assert in_bin(("재활용폐기물", "전지", "건전지"), bins) is right


def test_only_what_is_asserted_misleads() -> None:
    """A wrong candidate is asked about; a wrong answer is followed."""
    asked, found = Question("a", "b", bins=frozenset({"종이"})), (("재활용폐기물", "전지"),)
    assert Outcome(asked, found, sure=True).misled
    assert not Outcome(asked, found, sure=False).misled
    assert not Outcome(asked, (), sure=False).misled


def test_a_name_that_is_left_out_is_not_there_to_be_found(client: RulesClient) -> None:
    """Else the figure would tell what was typed in, not what is understood."""
    book = client.reloader.current.book
    book = replace(book, items=book.items[::20])  # of each kind of thing some: all of them take ten seconds
    names = sum(len(item.also.ko) + len(item.also.en) for item in book.items)
    outcomes = list(left_out(book))
    assert len(outcomes) == names
    exact = [one for one in outcomes if client.search(one.question.text, limit=1)[0].score == 1.0]
    assert len(exact) == names
    assert sum(one.first for one in outcomes) < names


def test_the_table_has_a_row_for_each_kind_and_language(client: RulesClient) -> None:
    """With shares only of what a kind asks for."""
    rows = list(table(ask(client, question) for question in committed()))
    kinds = [row.split(" | ")[:2] for row in rows[2:]]
    assert kinds[:4] == [[f"| {kind}.yaml", locale] for kind in ("searches", "items") for locale in ("ko", "en")]
    assert {kind.split(":")[0] for kind, _ in kinds[4:]} == {"| asked.yaml", "| held_out.yaml"}
    assert rows[2].endswith("|  |  |")
