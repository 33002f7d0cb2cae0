"""The secrets of one stack: made at its first start and kept beside its data."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.files import read_json, write_private


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords and keys of the servers of one stack.

    Attributes:
        postgres_password: Of the database's owner.
        valkey_password: Of the default user.
        s3_access_key: Names the one identity that may write.
        s3_secret_key: Signs its requests.
        signing_key: P-256 private key in PEM; signs users' tokens.
    """

    postgres_password: str
    valkey_password: str
    s3_access_key: str
    s3_secret_key: str
    signing_key: str

    @property
    def auth_secret(self) -> str:
        """Seals Auth's signing keys."""
        return self._derived(b"eco2 auth")

    @property
    def demo_client_secret(self) -> str:
        """Auth's at the demo provider."""
        return self._derived(b"eco2 demo provider")

    @property
    def vapid_private_key(self) -> str:
        """By which push services know the stack; the same at each start, or browsers had to subscribe again."""
        return self._derived(b"eco2 web push")

    @property
    def pseudonym_key(self) -> str:
        """Makes what stands for users in logs."""
        return self._derived(b"eco2 logs")

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads the secrets of an existing stack.

        Raises:
            FileNotFoundError: The stack never started.
            Misuse: The file's content is something else.
        """
        return read_json(file, cls)

    @classmethod
    def load_or_create(cls, file: Path) -> Self:
        """Reads the secrets, or makes new ones and keeps them, readable by their owner alone."""
        if not file.exists():
            write_private(file, json.dumps(asdict(cls._generate()), indent=1))
        return cls.load(file)

    def _derived(self, purpose: bytes) -> str:
        """A secret that folders of earlier releases don't hold."""
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(self.signing_key.encode())
        return base64.urlsafe_b64encode(derived).decode()

    @classmethod
    def _generate(cls) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(
            postgres_password=secrets.token_urlsafe(24),
            valkey_password=secrets.token_urlsafe(24),
            s3_access_key=secrets.token_hex(10).upper(),
            s3_secret_key=secrets.token_urlsafe(30),
            signing_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        )
