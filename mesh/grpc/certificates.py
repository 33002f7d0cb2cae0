"""The certificates of a process, read from files, and again as soon as those change.

Nothing watches the files: whoever needs the certificates looks whether they have changed. What can't be used then (a
file is missing, or half of a renewal is there) is logged, and what could be used before stays.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import grpc
import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mesh.grpc.access import server_name
from mesh.settings import Misconfigured, TlsFiles

_log = structlog.get_logger("tls")

Parsed = TypeVar("Parsed")

_LOOK_SECONDS = 1.0
# The share of its life before whose beginning a certificate is renewed: cert-manager does so with a third left.
_RENEWED_BEFORE = 0.2


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the files held when they could be used.

    Attributes:
        chain: The certificate, and those between it and the authority.
        key: Its private key.
        authorities: Whose certificates are believed.
        begins: From when on the certificate is good.
        expires: Until when.
    """

    chain: bytes
    key: bytes
    authorities: bytes
    begins: datetime
    expires: datetime


class Unusable(Exception):
    """What the files hold can't be used; the text names the setting."""


class CertificateFiles:
    """The certificates as their files are now. May be asked by any thread.

    Args:
        files: Where they are.
        now: The time, for whether a certificate is good.

    Raises:
        Misconfigured: They can't be used, and none could be used before.
    """

    def __init__(self, files: TlsFiles, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._files = files
        self._now = now
        self._trouble = ""
        self._looked = time.monotonic()
        self._seen = _signature(files)
        try:
            self._current = _read(files)
        except Unusable as error:
            raise Misconfigured(str(error)) from error

    def current(self) -> Certificates:
        """What the files hold; what they held last while that can't be used."""
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._look()
        return self._current

    async def demand_readable(self) -> None:
        """Raises while somebody should look after the files, whether or not the certificate in use is good.

        Raises:
            Unusable: They can't be used, or hold a certificate that should have been renewed by now.
        """
        found = self.current()
        if self._trouble:
            raise Unusable(self._trouble)
        if self._now() > found.expires - (found.expires - found.begins) * _RENEWED_BEFORE:
            raise Unusable(f"ECO2_TLS_CERT: {self._files.cert} expires at {found.expires}, and wasn't renewed")
        await self.demand_good()

    async def demand_good(self) -> None:
        """Raises while no peer would take the certificate.

        Raises:
            Unusable: It has expired, or begins later.
        """
        found = self.current()
        if not found.begins <= self._now() <= found.expires:
            raise Unusable(f"ECO2_TLS_CERT: {self._files.cert} is good from {found.begins} to {found.expires}")

    def _look(self) -> None:
        self._looked = time.monotonic()
        signature = _signature(self._files)
        if signature == self._seen and not self._trouble:
            return
        try:
            self._current = _read(self._files)
        except Unusable as error:
            if str(error) != self._trouble:
                _log.warning("certificates can't be used; the last ones stay", trouble=str(error))
            self._trouble = str(error)
        else:
            _log.info("certificates read again", expires=str(self._current.expires))
            self._seen, self._trouble = signature, ""

    def server_credentials(self) -> grpc.ServerCredentials:
        """Credentials of a server that talks to nobody without a certificate; each connection gets the newest."""
        used = self.current()

        def renewed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal used
            newest = self.current()
            if newest is used:
                return None
            used = newest
            return _configuration(newest)

        # The stub doesn't know that None stands for no change.
        fetch: Callable[[], Any] = renewed
        return grpc.dynamic_ssl_server_credentials(_configuration(used), fetch, require_client_authentication=True)


def channel_credentials(certificates: Certificates) -> grpc.ChannelCredentials:
    """Credentials of one connection to a server."""
    return grpc.ssl_channel_credentials(certificates.authorities, certificates.key, certificates.chain)


def expecting(service: str) -> tuple[tuple[str, str], ...]:
    """The option of a channel that says which service must answer, whatever its address is."""
    return (("grpc.ssl_target_name_override", server_name(service)),)


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    pair = (certificates.key, certificates.chain)
    return grpc.ssl_server_certificate_configuration([pair], certificates.authorities)


def _signature(files: TlsFiles) -> tuple[object, ...]:
    """What changes when a file is written, replaced, or reached by another link."""
    found: list[object] = []
    for name in (files.cert, files.key, files.ca):
        stat = None
        with contextlib.suppress(OSError):
            stat = Path(name).stat()
        found.append(stat and (stat.st_ino, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def _read(files: TlsFiles) -> Certificates:
    """What the files hold.

    Raises:
        Unusable: A file is missing, holds something else, or the key isn't the certificate's.
    """
    chain, key, ca = _content("CERT", files.cert), _content("KEY", files.key), _content("CA", files.ca)
    own = _parsed("CERT", files.cert, x509.load_pem_x509_certificates, chain)[0]
    private = _parsed("KEY", files.key, lambda pem: load_pem_private_key(pem, password=None), key)
    _parsed("CA", files.ca, x509.load_pem_x509_certificates, ca)
    if private.public_key() != own.public_key():
        raise Unusable(f"ECO2_TLS_KEY: {files.key} isn't the key of {files.cert}")
    return Certificates(chain, key, ca, own.not_valid_before_utc, own.not_valid_after_utc)


def _content(setting: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Unusable(f"ECO2_TLS_{setting}: {file}: {error.strerror}") from error


def _parsed(setting: str, file: str, parse: Callable[[bytes], Parsed], content: bytes) -> Parsed:
    try:
        return parse(content)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):  # whose text may quote a key
        raise Unusable(f"ECO2_TLS_{setting}: {file} holds no usable PEM") from None
