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
    ],
)
def test_the_first_language_we_speak_wins(header: str, expected: Locale) -> None:
    """Clients list languages by preference; Korean is the product's own."""
    assert Locale.parse(header) is expected
