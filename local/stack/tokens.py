"""Users' bearer tokens: what an identity provider does in production, for the embedded stack only."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm

ISSUER = "eco2-local"
AUDIENCE = "eco2"
LIFETIME = timedelta(hours=24)


class Tokens:
    """Issues tokens with one ES256 key.

    Args:
        signing_key: P-256 private key in PEM.
    """

    def __init__(self, signing_key: str) -> None:
        self._key = cast(EllipticCurvePrivateKey, load_pem_private_key(signing_key.encode(), password=None))

    def issue(self, user_id: str, *, scope: str = "", now: datetime | None = None) -> str:
        """A token that says its bearer is `user_id`, for 24 hours, and may do what the scope says."""
        issued = now or datetime.now(UTC)
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "iat": issued,
            "exp": issued + LIFETIME,
        }
        if scope:
            claims["scope"] = scope
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._public()["kid"]})

    def jwks(self) -> str:
        """The public key as a JSON Web Key Set, on one line: what Envoy verifies tokens with."""
        return json.dumps({"keys": [self._public()]}, separators=(",", ":"))

    def _public(self) -> dict[str, Any]:
        key = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        # RFC 7638: the key's thumbprint.
        canonical = json.dumps({name: key[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        return {**key, "kid": hashlib.sha256(canonical.encode()).hexdigest()[:16], "alg": "ES256", "use": "sig"}
