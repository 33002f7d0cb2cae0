"""Addresses to which a client may put one object, or at which it may fetch one.

They are signed by hand (AWS Signature Version 4, in the query):
botocore's signer takes seven times the CPU, a tenth of what CreateScan costs (ADR 0041); the tests hold each signature
against its. Of the services only Scan imports this.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from mesh.s3.credentials import Credentials, credentials_of
from mesh.s3.settings import StorageSettings

_ALGORITHM = "AWS4-HMAC-SHA256"


def _now() -> datetime:
    return datetime.now(UTC)


class PresignedUploads:
    """Signs uploads to one bucket; asks nobody.

    Args:
        settings: Where the bucket is, and whose key signs.
        clock: The time.
        credentials: The keys; by default those of the settings.
    """

    def __init__(
        self,
        settings: StorageSettings,
        clock: Callable[[], datetime] = _now,
        credentials: Credentials | None = None,
    ) -> None:
        self._credentials = credentials or credentials_of(settings)
        self._region = settings.s3_region
        self._url = f"{settings.s3_endpoint.rstrip('/')}/{settings.s3_bucket}"
        self._host = _host(self._url)
        self._path = urlsplit(self._url).path
        self._clock = clock
        self._day, self._day_key = ("", ""), b""

    def lifetime(self, seconds: int) -> int:
        """For how many of these seconds an address works that is made now: no longer than the keys that sign it."""
        ends_at = self._credentials.now().expires_at
        return seconds if ends_at is None else max(1, min(seconds, int((ends_at - self._clock()).total_seconds())))

    def address(self, key: str, headers: Mapping[str, str], seconds: int) -> str:
        """An address to which one object can be put, with exactly these headers.

        Args:
            key: Where.
            headers: That the upload must carry.
            seconds: How long it works; less if its keys expire before (`lifetime`).
        """
        return self._signed("PUT", key, headers, seconds)

    def reading(self, key: str, seconds: int) -> str:
        """An address at which one object can be fetched for so many seconds."""
        return self._signed("GET", key, {}, seconds)

    def _signed(self, verb: str, key: str, headers: Mapping[str, str], seconds: int) -> str:
        keys, seconds = self._credentials.now(), self.lifetime(seconds)
        moment = self._clock().strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self._region}/s3/aws4_request"
        signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()} | {"host": self._host}
        names = sorted(signed)
        joined = ";".join(names)
        token = f"&X-Amz-Security-Token={quote(keys.token, safe='-_.~')}" if keys.token else ""
        query = (
            f"X-Amz-Algorithm={_ALGORITHM}&X-Amz-Credential={quote(f'{keys.access_key}/{scope}', safe='-_.~')}"
            f"&X-Amz-Date={moment}&X-Amz-Expires={seconds}{token}&X-Amz-SignedHeaders={quote(joined, safe='-_.~')}"
        )
        quoted = quote(key, safe="/-_.~")
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        request = f"{verb}\n{self._path}/{quoted}\n{query}\n{lines}\n{joined}\nUNSIGNED-PAYLOAD"
        text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._key(keys.secret_key, moment[:8]), text.encode(), "sha256").hex()
        return f"{self._url}/{quoted}?{query}&X-Amz-Signature={signature}"

    def _key(self, secret_key: str, day: str) -> bytes:
        """The key of a day; kept, since making it costs as much as all the rest of a signature."""
        if (secret_key, day) != self._day:
            key = f"AWS4{secret_key}".encode()
            for part in (day, self._region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day, self._day_key = (secret_key, day), key
        return self._day_key


def _host(url: str) -> str:
    """The Host header that clients will send: in lower case, without the scheme's own port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    own = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{host}:{parts.port}" if parts.port not in (None, own) else str(host)
