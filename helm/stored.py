"""How much of a Secret a release fills: Helm keeps each in one, and one holds 1 MiB."""

import base64
import gzip
import json
import tarfile
import tempfile
from pathlib import Path

from helm.rendering import CHART, manifests, package

LIMIT = 1 << 20


def stored_bytes(values: Path) -> int:
    """Of the release that these values make, as Helm's `storage/driver` encodes it, but for some hundred bytes.

    Raises:
        Refused: Helm doesn't take the values.
    """
    with tempfile.TemporaryDirectory() as folder, tarfile.open(package(CHART, Path(folder))) as chart:
        contents = [member and member.read() for member in map(chart.extractfile, chart.getmembers())]
    files = [{"name": "", "data": base64.b64encode(content or b"").decode()} for content in contents]
    release = {"chart": {"files": files}, "manifest": manifests([values])}
    return len(base64.b64encode(gzip.compress(json.dumps(release).encode())))
