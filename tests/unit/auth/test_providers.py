"""Providers as data."""

from pathlib import Path
from typing import Any

import pytest

from auth_svc.providers.providers import Identity, UnusableProviders, identity, load_providers

FILE = """
mine:
  name: {ko: 내 것, en: Mine}
  authorization_endpoint: https://id.example/auth
  token_endpoint: https://id.example/token
  scopes: [openid]
  issuer: https://id.example
  jwks_uri: https://id.example/jwks
"""


def test_the_packaged_ones_are_there_and_a_file_adds_or_replaces(tmp_path: Path) -> None:
    """Another provider needs no code."""
    file = tmp_path / "providers.yaml"
    file.write_text(FILE + FILE.replace("mine", "google"), encoding="utf-8")
    known = load_providers(file)
    assert set(known) == {"google", "kakao", "naver", "mine"}
    assert known["google"].issuer == "https://id.example"
    assert known["kakao"] == load_providers()["kakao"]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "mine: {}",
        FILE.replace("  issuer: https://id.example\n", ""),
        FILE + "  userinfo_endpoint: https://id.example/me\n",
        FILE + "  token_auth: by_letter\n",
        FILE.replace("en: Mine", "en: 7"),
        "{",
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    """At the start."""
    file = tmp_path / "providers.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UnusableProviders, match=r"providers\.yaml"):
        load_providers(file)


NAVER = {"resultcode": "00", "response": {"id": "32742776", "nickname": "오픈API"}}


@pytest.mark.parametrize(
    ("provider", "claims", "expected"),
    [
        (
            "google",
            {"sub": "110169484474386276334", "name": "Mina"},
            Identity("google", "110169484474386276334", "Mina"),
        ),
        ("kakao", {"sub": "1234567", "nickname": "미나"}, Identity("kakao", "1234567", "미나")),
        ("naver", NAVER, Identity("naver", "32742776", "오픈API")),
        ("naver", {"resultcode": "024"}, None),
        ("naver", {"response": None}, None),
        ("google", {"name": "Nobody"}, None),
        ("google", {"sub": ""}, None),
        ("google", {"sub": 7}, Identity("google", "7")),
        ("google", {"sub": True}, None),
        ("google", {"sub": ["a"]}, None),
        ("google", {"sub": "a\nb"}, None),
        ("google", {"sub": "a" * 256}, None),
        ("google", {"sub": "a", "name": ["b"]}, Identity("google", "a")),
        ("google", {"sub": "a", "name": "b\u202e\n" + "c" * 200}, Identity("google", "a", "b" + "c" * 99)),
    ],
)
def test_each_says_who_somebody_is_in_its_own_way(
    provider: str, claims: dict[str, Any], expected: Identity | None
) -> None:
    """What it says otherwise is nobody."""
    assert identity(provider, load_providers()[provider], claims) == expected
