"""The operators' edge: another listener of the stack's one Envoy, with a certificate and a right of its own."""

import os
from collections.abc import Mapping
from pathlib import Path
from string import Template

from local.stack import envoy
from mesh.settings import TlsFiles

TEMPLATE = envoy.ROOT / "envoy" / "operators.yaml"
PAGE = envoy.ROOT / "web" / "operators"


def configuration(edge: Mapping[str, str], host: str, port: int, tls: str = "null") -> str:
    """What Envoy is to run beside the public edge.

    Args:
        edge: What the placeholders of edge.yaml stand for.
        host: Where it listens.
        port: Likewise.
        tls: How it calls Scan: `upstream` says it; "null" by plain text.
    """
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        edge,
        OPERATORS_HOST=host,
        OPERATORS_PORT=port,
        OPERATIONS_TLS=tls,
        PAGE_FOLDER=PAGE,
        TRACE_URL=os.environ.get("ECO2_TRACE_URL", ""),
    )


def upstream(folder: Path, files: TlsFiles) -> str:
    """How it calls Scan by mutual TLS.

    Args:
        folder: Where the configuration goes that names the certificate's files.
        files: Its certificate.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    return envoy.mutual_tls(folder, files)["SCAN_TLS"]
