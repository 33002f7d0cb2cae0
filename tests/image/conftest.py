"""The image that `make image` has built of this commit, or builds now."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.image import archive
from tests.support.image.archive import ImageArchive
from tests.support.image.container import Container


@pytest.fixture(scope="session")
def image() -> Iterator[ImageArchive]:
    """Unpacked, where any user gets."""
    with tempfile.TemporaryDirectory(prefix="eco2-image-") as folder:
        Path(folder).chmod(0o755)
        yield archive.of_this_commit(Path(folder))


@pytest.fixture(scope="session")
def container(image: ImageArchive) -> Container:
    """Runs what is in it."""
    return Container(image)
