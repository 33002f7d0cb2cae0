"""Who sends push messages, as push services read it."""

from datetime import UTC, datetime

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import ValidationError

from scan_svc.reminders.vapid import PushKey, decoded, encoded
from scan_svc.settings import ScanSettings

PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
PUBLIC = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)


def test_the_public_key_follows_from_the_private_one() -> None:
    """Padded or not, as different tools write it."""
    assert PushKey(PRIVATE, "https://eco2.app").public_key == PUBLIC
    assert PushKey(PRIVATE + "=", "https://eco2.app").public_key == PUBLIC


@pytest.mark.parametrize(
    ("endpoint", "audience"),
    [
        ("https://push.example.com/send/abc?x=1", "https://push.example.com"),
        ("https://push.example.com:8443/send", "https://push.example.com:8443"),
    ],
    ids=["default port", "own port"],
)
def test_a_push_service_can_check_who_sends(endpoint: str, audience: str) -> None:
    """By the very key that the browser subscribed with; for this service alone, and less than a day."""
    scheme, *parts = PushKey(PRIVATE, "mailto:ops@example.com").authorization(endpoint, NOW).split()
    told = dict(part.rstrip(",").split("=", 1) for part in parts)
    point = decoded(told["k"])
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": encoded(point[1:33]), "y": encoded(point[33:])})
    token = jwt.decode(told["t"], key, algorithms=["ES256"])
    assert (scheme, told["k"], token.header["alg"]) == ("vapid", PUBLIC, "ES256")
    assert (token.claims["aud"], token.claims["sub"]) == (audience, "mailto:ops@example.com")
    assert 0 < token.claims["exp"] - NOW.timestamp() < 24 * 3600


@pytest.mark.parametrize("value", ["x", PRIVATE[:-1], PRIVATE + "AA", "한" * 43])
def test_a_key_that_is_none_is_refused_at_the_start(value: str) -> None:
    """And isn't repeated in the error, which is logged."""
    with pytest.raises(ValidationError) as refused:
        ScanSettings.model_validate({"vapid_private_key": value})
    assert [error["loc"] for error in refused.value.errors() if error["type"] == "value_error"] == [
        ("vapid_private_key",)
    ]
