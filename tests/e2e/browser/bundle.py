"""The page's program: TypeScript from the protos by protoc-gen-es, and the page, in one file by esbuild."""

import os
import subprocess
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from local import npm
from local.stack.envoy import DESCRIPTORS

HERE = Path(__file__).parent


def packages() -> Path:
    """The folder with the browser, the generator and the bundler, installed if they aren't yet.

    Raises:
        NoNode: They can't be.
    """
    return npm.installed(HERE)


def bundled(packages: Path, folder: Path) -> bytes:
    """The page's program, made in an empty folder."""
    descriptors = FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    protos = [file.name for file in descriptors.file if not file.name.startswith("google/protobuf/")]
    programs = packages / "node_modules" / ".bin"
    options = (
        f"--descriptor_set_in={DESCRIPTORS}",
        f"--plugin=protoc-gen-es={programs / 'protoc-gen-es'}",
        f"--es_out=target=ts:{folder}",
    )
    subprocess.run((sys.executable, "-m", "grpc_tools.protoc", *options, *protos), check=True)
    page = folder / "page.ts"
    page.write_bytes((HERE / "page.ts").read_bytes())
    return subprocess.run(
        (programs / "esbuild", page, "--bundle", "--format=esm", "--log-level=error"),
        env={**os.environ, "NODE_PATH": str(packages / "node_modules")},
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
