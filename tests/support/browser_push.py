"""A browser that was subscribed to push messages: reads them as RFC 8291 says, by code of its own."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_CURVE = ec.SECP256R1()


class Browser:
    """What a user agent keeps of one subscription.

    Args:
        key: Its private key.
        auth: Its secret, of 16 bytes.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, auth: bytes) -> None:
        self._key = key
        self.auth = auth
        self.public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def read(self, body: bytes) -> bytes:
        """The content of a message.

        Raises:
            cryptography.exceptions.InvalidTag: It was for another browser, or was changed.
        """
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, sender))
        secret = _hmac(self.auth, shared)
        material = _hmac(secret, b"WebPush: info\x00" + self.public + sender + b"\x01")
        pseudorandom = _hmac(salt, material)
        key = _hmac(pseudorandom, b"Content-Encoding: aes128gcm\x00\x01")[:16]
        nonce = _hmac(pseudorandom, b"Content-Encoding: nonce\x00\x01")[:12]
        padded = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\x00")
        assert padded[-1] == 2, "the last record ends so"
        return padded[:-1]


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()
