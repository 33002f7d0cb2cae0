"""Certificates for tests: an authority of their own, and callers who have one of its certificates.

A server with them: `Settings(..., **mutual_tls.settings("scan"))`. A caller: `mutual_tls.channel("vision", target,
service)`. A whole stack with them: `local.stack.background.running(folder, tls=True)`, whose authority is
`MutualTls(folder / "tls")`.
"""

from collections.abc import Mapping
from pathlib import Path

import grpc

from local.stack import envoy
from local.stack.certificates import Authority
from mesh.grpc.certificates import CertificateFiles, channel_credentials, expecting
from mesh.settings import TlsFiles


class MutualTls:
    """An authority and those it certifies, each with a certificate in a folder by its name.

    Args:
        folder: Where it is, or is made.

    Attributes:
        authority: Writes certificates, also unusual ones.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)

    def files(self, name: str) -> TlsFiles:
        """The certificate of a service, the edge, an operator, or anybody."""
        files = self.authority.files(name)
        return files if Path(files.cert).exists() else self.authority.certify(name)

    def settings(self, name: str) -> dict[str, str]:
        """The settings with which a service serves, and calls its peers, by mutual TLS."""
        files = self.files(name)
        return {"tls_cert": files.cert, "tls_key": files.key, "tls_ca": files.ca}

    def edge(self, folder: Path) -> Mapping[str, str]:
        """What the template of the edge is filled with for it to call services by mutual TLS; it writes to a folder."""
        return envoy.mutual_tls(folder, self.files("edge"))

    def credentials(self, caller: str) -> grpc.ChannelCredentials:
        """The credentials of a caller, for a channel of any kind."""
        return channel_credentials(CertificateFiles(self.files(caller)).current())

    def server_credentials(self, name: str) -> grpc.ServerCredentials:
        """The credentials of a server that isn't one of ours, such as a fake."""
        return CertificateFiles(self.files(name)).server_credentials()

    def channel(self, caller: str, target: str, service: str) -> grpc.aio.Channel:
        """A channel from a caller to a service, such as "eco2.scan.v1.ScanService"."""
        return grpc.aio.secure_channel(target, self.credentials(caller), options=expecting(service))
