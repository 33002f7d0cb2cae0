"""Tokens that Envoy accepts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from local.stack.secrets import Secrets
from local.stack.tokens import AUDIENCE, ISSUER, Tokens


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    """An issuer with a key of its own."""
    return Tokens(Secrets.load_or_create(tmp_path / "secrets").signing_key)


def test_a_token_verifies_with_the_published_key(tokens: Tokens) -> None:
    """Envoy knows nothing but the key set, and chooses the key by its id."""
    token = tokens.issue("minji")
    keys = jwt.PyJWKSet.from_json(tokens.jwks())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)
    assert claims["sub"] == "minji"


def test_a_token_lives_for_a_day(tokens: Tokens) -> None:
    """A token without an end would be one that can't be taken back."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    claims = jwt.decode(tokens.issue("minji", now=now), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == timedelta(hours=24).total_seconds()


def test_a_token_may_do_what_its_scope_says(tokens: Tokens) -> None:
    """And a user's has none."""
    issued = (tokens.issue("kim", scope="operator"), tokens.issue("minji"))
    claims = [jwt.decode(token, options={"verify_signature": False}) for token in issued]
    assert [each.get("scope") for each in claims] == ["operator", None]


def test_the_key_set_is_public_and_fits_into_the_configuration(tokens: Tokens) -> None:
    """It is pasted between YAML single quotes, and the private number must not be in it."""
    keys = tokens.jwks()
    assert "'" not in keys
    assert "\n" not in keys
    assert "d" not in json.loads(keys)["keys"][0]
