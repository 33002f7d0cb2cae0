"""Sentences out of JSON that is still being written."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_svc.answers.json_stream import JsonTextStream


def _fed(text: str, size: int) -> list[tuple[str, str, bool]]:
    draft = JsonTextStream(("how", "why"))
    return [found for at in range(0, len(text), size) for found in draft.feed(text[at : at + size])]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_sentences_come_whole_whatever_the_pieces(size: int, ascii_only: bool) -> None:
    """A sentence is checked before it is shown, so it must not come in halves."""
    text = json.dumps(
        {"how": '비워요. "헹궈요."\n눌러요', "why": "다시 써요.", "rule_ids": []}, ensure_ascii=ascii_only
    )
    sentences = _fed(text, size)
    assert "".join(sentence for field, sentence, _ in sentences if field == "how") == '비워요. "헹궈요."\n눌러요'
    assert [sentence for field, sentence, _ in sentences if field == "why" and sentence] == ["다시 써요."]
    assert [field for field, _, is_last in sentences if is_last] == ["how", "why"]
    assert sentences[0][1] == "비워요. "


def test_nothing_comes_of_an_unfinished_sentence() -> None:
    """It couldn't be checked."""
    assert _fed('{"how": "비워요. 그리고 010-', 3) == [("how", "비워요. ", False)]


@given(how=st.text(), why=st.text(), size=st.integers(1, 20))
def test_any_text_survives(how: str, why: str, size: int) -> None:
    """Escapes may be cut anywhere."""
    sentences = _fed(json.dumps({"how": how, "why": why}, ensure_ascii=False), size)
    for field, text in (("how", how), ("why", why)):
        told = "".join(sentence for name, sentence, _ in sentences if name == field)
        assert unicodedata.normalize("NFC", told) == unicodedata.normalize("NFC", text)


def test_a_draft_is_read_no_further_than_an_answer_may_reach() -> None:
    """A model that writes without end must not be looked at again and again with each piece."""
    draft = JsonTextStream(("how",))
    told = list(draft.feed('{"how": "비워요. '))
    for _ in range(20_000):
        told += draft.feed("가")
    assert [sentence for _, sentence, _ in told] == ["비워요. "]
    assert list(draft.feed('끝. "')) == []


def test_sentences_are_composed() -> None:
    """Some models write Korean in separate letters; the rules are composed."""
    text = json.dumps({"how": unicodedata.normalize("NFD", "헹궈요. 눌러요.")}, ensure_ascii=False)
    assert "".join(sentence for _, sentence, _ in JsonTextStream(("how",)).feed(text)) == "헹궈요. 눌러요."
