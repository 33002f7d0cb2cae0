"""Who sends a push message: told to push services by a signed token (RFC 8292)."""

import base64
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from scan_svc.reminders.push_encryption import point
from scan_svc.settings import ScanSettings

_CURVE = ec.SECP256R1()
_KEY_BYTES = 32
# A day at most; clocks of push services are off, too.
_LIFETIME = timedelta(hours=12)


class PushKey:
    """The key of this installation, by which push services know it.

    Args:
        private_key: 32 bytes in base64url, as `web-push generate-vapid-keys` and others write it.
        subject: Whom a push service may turn to: mailto: or https:.

    Raises:
        ValueError: It is no such key.
    """

    def __init__(self, private_key: str, subject: str) -> None:
        scalar = decoded(private_key)
        if len(scalar) != _KEY_BYTES:
            raise ValueError("it has 32 bytes")
        key = ec.derive_private_key(int.from_bytes(scalar, "big"), _CURVE)
        public = point(key)
        self.public_key = encoded(public)
        self._subject = subject
        self._key = ECKey.import_key(
            {
                "kty": "EC",
                "crv": "P-256",
                "d": encoded(scalar),
                "x": encoded(public[1 : 1 + _KEY_BYTES]),
                "y": encoded(public[1 + _KEY_BYTES :]),
            }
        )

    def authorization(self, endpoint: str, now: datetime) -> str:
        """The header of a message to an endpoint.

        Args:
            endpoint: Its address.
            now: The time.
        """
        address = urlsplit(endpoint)
        claims = {
            "aud": f"{address.scheme}://{address.netloc}",
            "exp": int((now + _LIFETIME).timestamp()),
            "sub": self._subject,
        }
        token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, self._key)
        return f"vapid t={token}, k={self.public_key}"


def push_key(settings: ScanSettings) -> PushKey | None:
    """The installation's key; None if it has none."""
    key = settings.vapid_private_key.get_secret_value()
    return PushKey(key, settings.vapid_subject) if key else None


def encoded(content: bytes) -> str:
    """Base64url without padding, as Web Push writes keys."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes:
    """Bytes from base64url, padded or not.

    Raises:
        ValueError: It isn't base64url.
    """
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
