"""What the database may not know in clear."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Seal:
    """Seals with the first secret, opens with any.

    Args:
        secrets: Fernet keys.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secret.strip() for secret in secrets)
        self._fernet = MultiFernet([Fernet(secret) for secret in self._secrets])

    def close(self, plain: bytes) -> bytes:
        """Seals."""
        return self._fernet.encrypt(plain)

    def open(self, sealed: bytes) -> bytes | None:
        """What was sealed; None if it was by another secret."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            return None

    def derived(self, purpose: str) -> list[bytes]:
        """A key for another purpose, of each secret, in their order."""
        return [
            HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret.encode())
            for secret in self._secrets
        ]
