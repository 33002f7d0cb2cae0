"""Messages that a browser's push service carries and can't read (RFC 8291, over RFC 8188).

By `cryptography` itself: `pywebpush` is `http-ece`, which there is only as a source archive with a setup.py, a VAPID
signer, and an HTTP client that would go to whatever address a user gives.
"""

from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUTH_BYTES = 16
# Push services take 4,096 bytes, of which the header takes 86, the padding's delimiter 1 and the tag 16.
MOST_BYTES = 4096 - 86 - 1 - 16
CONTENT_ENCODING = "aes128gcm"

_SALT_BYTES = 16
_RECORD_SIZE = 4096
_LAST_RECORD = b"\x02"
_CURVE = ec.SECP256R1()


def is_point(encoded: bytes) -> bool:
    """Whether these are a browser's public key: a point of P-256, uncompressed, and not at infinity."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, encoded)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return encoded[:1] == b"\x04"


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key of a private one, uncompressed."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypted(
    content: bytes,
    receiver: bytes,
    auth: bytes,
    entropy: Callable[[int], bytes],
    new_key: Callable[[], ec.EllipticCurvePrivateKey] = lambda: ec.generate_private_key(_CURVE),
) -> bytes:
    """A message that one browser can read: one record, with its header.

    Args:
        content: Of at most `MOST_BYTES`.
        receiver: The browser's public key, for which `is_point` holds.
        auth: The browser's secret, of `AUTH_BYTES`.
        entropy: So many random bytes.
        new_key: A key of P-256 for this message alone.
    """
    sender, salt = new_key(), entropy(_SALT_BYTES)
    theirs, ours = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, receiver), point(sender)
    shared = sender.exchange(ec.ECDH(), theirs)
    material = _derived(auth, shared, b"WebPush: info\0" + receiver + ours, 32)
    key = _derived(salt, material, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(salt, material, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD_SIZE.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + AESGCM(key).encrypt(nonce, content + _LAST_RECORD, None)


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
