"""The catalogue: complete, in both languages, in the taxonomy's order."""

import json
import re
from importlib.resources import files

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from character_svc.catalogue import Catalogue, Character
from mesh.locale import Locale, Text

# The recyclables' middle categories in the taxonomy's order, and the product's Korean name for each character.
KOREAN_NAMES = {
    "종이": "페이피",
    "종이팩": "팩토리",
    "무색페트병": "페티",
    "플라스틱류": "플리",
    "비닐류": "비니",
    "발포합성수지": "폼이",
    "유리병": "글래시",
    "금속류": "메탈리",
    "의류및원단": "코튼",
    "전지": "배리",
    "조명제품": "라이티",
    "전기전자제품": "일렉",
    "": "이코",
}
HANGUL = re.compile("[가-힣]")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def character(id: str, middle: str) -> Character:
    return Character(id, middle, name=Text(ko=id, en=id), dialogue=Text(ko=id, en=id))


def test_each_middle_category_has_its_character_and_the_default_comes_last(catalogue: Catalogue) -> None:
    """Names, categories and their order are the product's promise."""
    assert [(one.middle, one.name[Locale.KO]) for one in catalogue] == list(KOREAN_NAMES.items())


def test_every_text_exists_in_korean_and_in_english(catalogue: Catalogue) -> None:
    """Nobody is to read an empty line, or the other language."""
    for one in catalogue:
        for text in (one.name, one.dialogue):
            assert HANGUL.search(text[Locale.KO]), one.id
            assert text[Locale.EN].strip(), one.id
            assert not HANGUL.search(text[Locale.EN]), one.id


def test_the_file_has_the_shape_its_schema_describes() -> None:
    """Who edits the catalogue is told by their editor, and here, what belongs in."""
    data = files("character_svc") / "data"
    described = json.loads((data / "characters.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(described)
    errors = Draft202012Validator(described).iter_errors(yaml.safe_load((data / "characters.yaml").read_text("utf-8")))
    assert [error.message for error in errors] == []


def test_no_two_characters_share_a_line(catalogue: Catalogue) -> None:
    """A copied line is a mistake of the catalogue's writer."""
    for locale in Locale:
        lines = [one.dialogue[locale] for one in catalogue]
        assert len(set(lines)) == len(lines)


def test_ids_are_lower_case_words(catalogue: Catalogue) -> None:
    """Ids stand in addresses of pictures and in the database for ever."""
    assert all(re.fullmatch("[a-z]+", one.id) for one in catalogue)


def test_a_character_is_found_by_middle_category_and_by_id(catalogue: Catalogue) -> None:
    """Rewards look up by category, collections by id."""
    metally = catalogue.of_middle("금속류")
    assert metally is not None
    assert catalogue[metally.id] is metally


@pytest.mark.parametrize("middle", ["", "석재"])
def test_nobody_stands_for_an_empty_or_unknown_category(catalogue: Catalogue, middle: str) -> None:
    """The default character is a choice of the reward's, not a match."""
    assert catalogue.of_middle(middle) is None


@pytest.mark.parametrize(
    "characters",
    [
        pytest.param([], id="empty"),
        pytest.param([character("metally", "금속류")], id="no default"),
        pytest.param([character("eco", ""), character("metally", "금속류")], id="default first"),
        pytest.param([character("metally", "금속류"), character("metally", "")], id="same id"),
        pytest.param([character("a", "금속류"), character("b", "금속류"), character("eco", "")], id="same middle"),
    ],
)
def test_an_inconsistent_catalogue_is_refused(characters: list[Character]) -> None:
    """A mistake in the data must stop the service at its start, not surprise a user."""
    with pytest.raises(ValueError, match="character"):
        Catalogue(characters)


def test_a_text_without_one_of_the_languages_is_refused() -> None:
    """Completeness is the type's business: half a text can't be loaded."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"ko": "페티"}, Text)
