"""The image's bill of materials: adds Debian's packages to what cyclonedx-py found in the Python environment.

Runs while the image is built: `python materials.py BILL STATUS VERSION`. BILL (CycloneDX, JSON) is rewritten; STATUS is
dpkg's list of what is installed; SOURCE_DATE_EPOCH dates it.
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL


def packages(status: str) -> Iterator[Component]:
    """Debian's packages that are installed.

    Args:
        status: dpkg's status file: paragraphs of headers.
    """
    for paragraph in status.strip().split("\n\n"):
        package = HeaderParser().parsestr(paragraph)
        name, version = package["Package"], package["Version"]
        if package["Status"].endswith(" installed"):
            where = {"arch": package["Architecture"], "distro": "debian-12"}
            yield Component(
                name=name,
                version=version,
                type=ComponentType.LIBRARY,
                bom_ref=f"deb:{name}",
                purl=PackageURL("deb", "debian", name, version, where),
            )


def main(bill: Path, status: Path, version: str, epoch: int) -> None:
    """Rewrites the bill.

    Args:
        bill: The file.
        status: dpkg's.
        version: Of the image.
        epoch: Its date, in seconds since 1970. The same image has the same bill.
    """
    materials = Bom.from_json(json.loads(bill.read_text("utf-8")))
    materials.components.update(packages(status.read_text("utf-8")))
    image = Component(name="eco2", version=version, type=ComponentType.CONTAINER, bom_ref="eco2-image")
    materials.metadata.component = image
    materials.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    materials.serial_number = uuid5(NAMESPACE_URL, f"eco2:{version}:{epoch}")
    materials.register_dependency(image, materials.components)
    JsonV1Dot6(materials).output_to_file(str(bill), allow_overwrite=True, indent=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(os.environ.get("SOURCE_DATE_EPOCH") or 0))
