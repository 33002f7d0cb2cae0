"""What a refresh token is, and what follows it."""

import re

import pytest

from auth_svc.sessions.refresh_tokens import RefreshToken


def test_a_token_is_read_as_it_was_written() -> None:
    """And nothing in it tells whose it is."""
    token = RefreshToken.first()
    assert re.fullmatch(r"eco2rt_[\w-]{22}\.[\w-]{43}", token.text)
    assert RefreshToken.parse(token.text) == token


def test_a_token_is_in_no_log_line() -> None:
    """Whoever logs it by mistake logs its type."""
    token = RefreshToken.first()
    assert token.text not in f"{token!r} {[token]}"
    assert token.secret.hex() not in repr(token)


@pytest.mark.parametrize(
    "text",
    ["", "x", "eco2rt_", "eco2rt_.", "eco2rt_AAAA.AAAA", "\x00", "é", "eco2rt_" + "A" * 190],
)
def test_what_is_no_token_is_none(text: str) -> None:
    """Nothing of it reaches the database."""
    assert RefreshToken.parse(text) is None


def test_a_token_has_one_spelling() -> None:
    """Base64 leaves bits of its last letter unused; another digest of the same token would count as theft."""
    text = RefreshToken.first().text
    others = [text[:-1] + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter != text[-1]]
    read = [token.text for token in map(RefreshToken.parse, others) if token]
    assert set(read) <= set(others)
    assert RefreshToken.parse(text.removeprefix("eco2rt_")) is None
    assert RefreshToken.parse(f"{text}=") is None


def test_the_same_token_has_the_same_successor_and_another_key_another_one() -> None:
    """A repeated request gets the same token; without the key nobody can foretell it."""
    token = RefreshToken.first()
    one, other = token.successors([b"a" * 32, b"b" * 32], "request")
    assert one == token.successors([b"a" * 32], "request")[0]
    assert one.session_id == token.session_id
    assert len({token.secret, one.secret, other.secret, token.successors([b"a" * 32], "another")[0].secret}) == 4


def test_without_an_id_of_the_request_a_successor_is_random() -> None:
    """There is no repetition to get it again."""
    token = RefreshToken.first()
    assert token.successors([b"a" * 32], "") != token.successors([b"a" * 32], "")
