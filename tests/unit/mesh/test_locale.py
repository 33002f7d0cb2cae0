"""Which language a caller is answered in."""

import pytest

from mesh.locale import Locale


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Locale.KO),
        ("en", Locale.EN),
        ("en-US,en;q=0.9,ko;q=0.8", Locale.EN),
        ("fr-FR, ko;q=0.7", Locale.KO),
        ("fr, en", Locale.EN),
        ("de", Locale.KO),
        ("KO-kr", Locale.KO),
        ("en_US", Locale.EN),
        ("kok, enm, en", Locale.EN),
        ("enm", Locale.KO),
        ("ko;q=0, en", Locale.EN),
        ("en; q=0.000, fr", Locale.KO),
        ("en;q=0.001", Locale.EN),
        ("en;q=0.5, ko;q=0.9", Locale.KO),
        ("ko;q=0.5,en;q=0.9", Locale.EN),
        ("ko;q=0.8, en", Locale.EN),
        ("en;q=0.8, ko;q=0.8", Locale.EN),
        ("fr, *;q=0.5", Locale.KO),
        ("en;q=0.1, *;q=0.5", Locale.KO),
        ("ko;q=0, *", Locale.EN),
        ("ko;q=0", Locale.EN),
        ("ko;q=0, en;q=0", Locale.KO),
        ("en-GB, en;q=0", Locale.EN),
        ("en-GB;q=0.3, ko;q=0.5, en;q=0.9", Locale.EN),
        ("en;level=1;q=0.2, ko;q=0.3", Locale.KO),
        ("en\t;\tq=0.2 , ko ;q=0.3", Locale.KO),
        ("*", Locale.KO),
    ],
)
def test_the_language_with_the_greatest_weight_wins(header: str, expected: Locale) -> None:
    """Most clients list languages by preference, some by weight alone; Korean is the product's own."""
    assert Locale.parse(header) is expected


@pytest.mark.parametrize("weight", ["", "x", "=", "=x", "=nan", "=inf", "=-1", "=7", "=1e999", "=0.5.5", "=½"])
def test_a_weight_that_is_none_is_passed_over(weight: str) -> None:
    """Somebody's proxy writes it; their user still reads English."""
    assert Locale.parse(f"en;q{weight}") is Locale.EN


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en-001", Locale.EN),
        ("EN", Locale.EN),
        ("ko-Kore-KR", Locale.KO),
        ("en_US@calendar=japanese", Locale.EN),
        ("en_US@calendar=japanese;numbers=latn", Locale.EN),
        ("en_US.UTF-8", Locale.EN),
        ("en@boldquot", Locale.EN),
        ("ko_KR.eucKR", Locale.KO),
        ("en-US-u-hc-h12-x-private", Locale.EN),
        ("ja-JP", None),
        ("zh-Hant-TW", None),
        ("zh_TW_#Hant", None),
        ("i-klingon", None),
        ("english", None),
        ("C.UTF-8", None),
        ("*", None),
        ("", None),
        ("한국어", None),
        (";;,,==", None),
        ("," * 100_000, None),
        ("fr," * 100_000 + "en", None),
    ],
)
def test_a_locale_is_taken_by_its_language(tag: str, expected: Locale | None) -> None:
    """Phones send what their system calls the language; one we don't speak leaves the choice to others."""
    assert Locale.named(tag) is expected
