"""Whom the edge lets in nowhere: `Authorization` headers, by what is wrong with them."""

import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm
from jwt.utils import base64url_encode

NOBODY = "no token"


def strangers(
    key: EllipticCurvePrivateKey, kid: str, issuer: str, audience: str, subject: str
) -> dict[str, str | None]:
    """What strangers send who would like to be `subject`, of whom the edge believes tokens of this key.

    Returns:
        The header's value; None: no header.
    """
    public, another = key.public_key(), generate_private_key(SECP256R1())
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    now = int(time.time())
    usual = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + 600}

    def signed(by: EllipticCurvePrivateKey = key, header: dict[str, Any] | None = None, **claims: Any) -> str:
        kept = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(kept, by, algorithm="ES256", headers={"kid": kid} | (header or {}))

    def symmetric(secret: bytes) -> str:
        """As PyJWT won't: it knows what a public key looks like, and a short secret."""
        parts = ({"alg": "HS256", "typ": "JWT", "kid": kid}, usual)
        text = b".".join(base64url_encode(json.dumps(part).encode()) for part in parts)
        return b".".join((text, base64url_encode(hmac.digest(secret, text, "sha256")))).decode()

    good = signed()
    head, body, signature = good.split(".")
    head_of_another, body_of_another, _ = signed(sub="somebody-else").split(".")
    tokens = {
        "empty parts": "..",
        "no token of any kind": "abc",
        "expired": signed(exp=now - 120),
        "never expires": signed(exp=None),
        "not yet good": signed(nbf=now + 600),
        "wrong audience": signed(aud="others"),
        "no audience": signed(aud=None),
        "wrong issuer": signed(iss="https://others.test"),
        "no issuer": signed(iss=None),
        "alg none": jwt.encode(usual, "", algorithm="none", headers={"kid": kid}),
        "alg none, no key named": jwt.encode(usual, "", algorithm="none"),
        "alg none, a signature": f"{jwt.encode(usual, '', algorithm='none', headers={'kid': kid})}{signature}",
        "HS256 with the public key as PEM": symmetric(pem),
        "HS256 with the public key as JWK": symmetric(ECAlgorithm.to_jwk(public).encode()),
        "HS256 with nothing": symmetric(b""),
        "unknown kid": signed(header={"kid": "unknown"}),
        "another key": signed(another),
        "another key that comes along": signed(
            another, {"jwk": ECAlgorithm.to_jwk(another.public_key(), as_dict=True)}
        ),
        "another key at an address": signed(another, {"jku": "https://others.test/jwks.json"}),
        "another's signature": f"{head_of_another}.{body_of_another}.{signature}",
        "no signature": f"{head}.{body}.",
    }
    return {
        NOBODY: None,
        "no scheme": good,
        "another scheme": f"Basic {good}",
        **{fault: f"Bearer {token}" for fault, token in tokens.items()},
    }
