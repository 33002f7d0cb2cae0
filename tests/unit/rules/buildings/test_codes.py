"""The codes by which people join a building."""

from rules_svc.buildings.codes import ALPHABET, LENGTH, canonical, new_code


def test_codes_are_eight_digits_and_letters_that_spell_no_word() -> None:
    """And the same however people write them."""
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(len(code) == LENGTH and set(code) <= set(ALPHABET) for code in codes)
    assert not set("AEIOUL") & set(ALPHABET)
    assert len(set(ALPHABET)) == 30
    for said in ("K7PD2MTX", "k7pd2mtx", "K7PD-2MTX", "k7pd 2mtx"):
        assert canonical(said) == "K7PD2MTX"
    assert canonical("olio-1234") == "01101234"
