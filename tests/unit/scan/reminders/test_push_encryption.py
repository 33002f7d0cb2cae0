"""Push messages: RFC 8291's own example to the byte, and what another implementation reads."""

import os

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from scan_svc.reminders.push_encryption import MOST_BYTES, encrypted, is_point, point
from scan_svc.reminders.vapid import decoded
from tests.support.browser_push import Browser

# RFC 8291, appendix A.
SENDER = decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
RECEIVER = decoded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
RECEIVERS_KEY = decoded("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
AUTH, SALT = decoded("BTBZMqHH6r4Tts7J_aSIgg"), decoded("DGv6ra1nlYgDCS1FRnbzlw")
MESSAGE = decoded(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQ"
    "pu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
TEXT = b"When I grow up, I want to be a watermelon"


def private(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


@pytest.fixture
def browser() -> Browser:
    """A browser with keys of its own."""
    return Browser(ec.generate_private_key(ec.SECP256R1()), os.urandom(16))


def test_the_standards_example_comes_out_to_the_byte() -> None:
    """With its keys and its salt."""
    assert encrypted(TEXT, RECEIVER, AUTH, lambda count: SALT[:count], lambda: private(SENDER)) == MESSAGE


def test_the_standards_example_is_read() -> None:
    """The tests' browser is right, too."""
    assert Browser(private(RECEIVERS_KEY), AUTH).read(MESSAGE) == TEXT


@pytest.mark.parametrize("length", [0, 1, MOST_BYTES])
def test_a_browser_reads_what_is_sent(browser: Browser, length: int) -> None:
    """Within what push services take, and never twice with the same key and salt."""
    content = os.urandom(length)
    first, second = (encrypted(content, browser.public, browser.auth, os.urandom) for _ in range(2))
    assert browser.read(first) == browser.read(second) == content
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]
    assert len(first) <= 4096


def test_another_browser_reads_nothing(browser: Browser) -> None:
    """Nor does the push service that carries it."""
    message = encrypted(TEXT, browser.public, browser.auth, os.urandom)
    other = Browser(ec.generate_private_key(ec.SECP256R1()), browser.auth)
    with pytest.raises(InvalidTag):
        other.read(message)


@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        (RECEIVER, True),
        (point(private(SENDER)), True),
        (b"", False),
        (b"\x00", False),
        (RECEIVER[:-1], False),
        (RECEIVER[:-1] + b"\x00", False),
        (b"\x04" + b"\x00" * 64, False),
        (b"\x04" + b"\xff" * 64, False),
        (b"\x02" + RECEIVER[1:33], False),
    ],
    ids=["a browser's", "ours", "none", "infinity", "short", "off the curve", "zero", "beyond", "compressed"],
)
def test_only_points_of_the_curve_are_keys(key: bytes, outcome: bool) -> None:
    """A point that isn't one could tell something of our key."""
    assert is_point(key) is outcome
