"""The stack's own authority, and what it certifies: each process, the edge, and an operator.

tls/ca.crt  ca.key                  the authority, made once
tls/NAME/{tls.crt,tls.key,ca.crt}   as cert-manager names them; new ones at each start
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.errors import CannotStart
from local.files import write_private
from mesh.grpc.access import dns_name, spiffe_id
from mesh.settings import TlsFiles

LIFETIME = timedelta(days=90)

_AUTHORITY_LIFETIME = timedelta(days=3650)
_BACK = timedelta(minutes=5)  # for clocks that are behind
_SIGNING = {"key_cert_sign": True, "crl_sign": True}
_ANSWERING = {"digital_signature": True}
_NO_USAGE = dict.fromkeys(
    (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    ),
    False,
)  # fmt: skip


class Authority:
    """A certificate authority in a folder. Certificates of one in another folder aren't believed here.

    Args:
        folder: Where it is, or is made.

    Raises:
        CannotStart: What is there can't be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        cert, key = folder / "ca.crt", folder / "ca.key"
        if not cert.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            own = ec.generate_private_key(ec.SECP256R1())
            write_private(key, _pem(own))
            write_private(cert, _self_signed(own).public_bytes(Encoding.PEM).decode())
        try:
            self._key = cast(ec.EllipticCurvePrivateKey, load_pem_private_key(key.read_bytes(), password=None))
            self._cert = x509.load_pem_x509_certificate(cert.read_bytes())
        except (OSError, ValueError) as error:
            raise CannotStart(f"{folder} holds no authority any more ({error}). Remove it for a new one.") from error

    def files(self, name: str) -> TlsFiles:
        """Where the certificate of a holder lies, or will."""
        folder = self._folder / name
        return TlsFiles(str(folder / "tls.crt"), str(folder / "tls.key"), str(folder / "ca.crt"))

    def certify(
        self, name: str, callers: Sequence[str] = (), *, begin: datetime | None = None, lifetime: timedelta = LIFETIME
    ) -> TlsFiles:
        """Writes a new certificate and its key; what read the ones before finds these by itself.

        Args:
            name: The holder's folder.
            callers: Whom it names, as `mesh.grpc.access` does; by default `name`.
            begin: From when on it is good; by default a little ago.
            lifetime: For how long.
        """
        key, files = ec.generate_private_key(ec.SECP256R1()), self.files(name)
        begin = begin or datetime.now(UTC) - _BACK
        names = callers or (name,)
        cert = (
            _builder(key.public_key(), f"{name}.eco2", begin, begin + lifetime)
            .issuer_name(self._cert.subject)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**_NO_USAGE | _ANSWERING), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName(
                    [
                        *(x509.UniformResourceIdentifier(spiffe_id(one)) for one in names),
                        *(x509.DNSName(dns_name(one)) for one in names),
                    ]
                ),
                critical=False,
            )
            .sign(self._key, SHA256())
        )
        Path(files.cert).parent.mkdir(mode=0o700, exist_ok=True)
        write_private(Path(files.ca), self._cert.public_bytes(Encoding.PEM).decode())
        write_private(Path(files.key), _pem(key))
        write_private(Path(files.cert), cert.public_bytes(Encoding.PEM).decode())
        return files


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    begin = datetime.now(UTC) - _BACK
    name = "Eco2 of one embedded stack"
    return (
        _builder(key.public_key(), name, begin, begin + _AUTHORITY_LIFETIME)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**_NO_USAGE | _SIGNING), critical=True)
        .sign(key, SHA256())
    )


def _builder(key: ec.EllipticCurvePublicKey, name: str, begin: datetime, end: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
