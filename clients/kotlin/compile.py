"""Compiles the client for Kotlin and its example: `python -m clients.kotlin.compile FOLDER [CLASSES]`.

FOLDER is what `make clients` made. The compiler, with its plugin for serialization, and the libraries are those in
PyPI's `kotlin-jupyter-kernel`; OkHttp's jars, which are on no registry that this project uses, are looked for where
Maven keeps what it has downloaded.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from clients.generate import CLIENTS, Missing

EXAMPLE = CLIENTS.parent / "examples" / "kotlin" / "Scan.kt"
_MAVEN = Path.home() / ".m2" / "repository" / "com" / "squareup"
_OKHTTP = ("okhttp3/okhttp/4.12.0/okhttp-4.12.0.jar", "okio/okio-jvm/3.6.0/okio-jvm-3.6.0.jar")
_COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
_REGISTRAR = "META-INF/services/org.jetbrains.kotlin.compiler.plugin.CompilerPluginRegistrar"
_SERIALIZATION = "org.jetbrains.kotlinx.serialization.compiler.extensions.SerializationComponentRegistrar"


def libraries() -> str:
    """The classpath to compile and to run with. Serialization comes first: the kernel has a copy without a version.

    Raises:
        Missing: Java, the kernel or OkHttp isn't installed.
    """
    package = find_spec("run_kotlin_kernel")
    okhttp = [_MAVEN / name for name in _OKHTTP]
    if package is None or package.origin is None or shutil.which("java") is None:
        raise Missing("Java, or kotlin-jupyter-kernel from PyPI, isn't installed")
    if absent := [str(jar) for jar in okhttp if not jar.exists()]:
        raise Missing(f"OkHttp isn't there: {', '.join(absent)}")
    jars = sorted(Path(package.origin).with_name("jars").glob("*.jar"), key=lambda jar: "serialization" not in jar.name)
    return os.pathsep.join(map(str, [*jars, *okhttp]))


def compiled(sources: Path, classes: Path) -> None:
    """Compiles the client in a folder, and the example, into classes.

    Raises:
        Missing: It can't be compiled here.
        subprocess.CalledProcessError: It doesn't compile; what the compiler says is its output.
    """
    classpath = libraries()
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "serialization.jar"
        with zipfile.ZipFile(plugin, "w") as jar:
            jar.writestr(_REGISTRAR, _SERIALIZATION)
        compiler = ("java", "-Xmx2g", "-cp", classpath, _COMPILER, "-no-stdlib", "-no-reflect", f"-Xplugin={plugin}")
        command = (*compiler, "-classpath", classpath, "-d", str(classes), str(sources), str(EXAMPLE))
        subprocess.run(command, check=True, capture_output=True, text=True)


def main() -> None:
    """Command line: compiles, and keeps the classes if it is told where."""
    sources = Path(sys.argv[1])
    try:
        with tempfile.TemporaryDirectory() as folder:
            compiled(sources, Path(sys.argv[2] if len(sys.argv) > 2 else folder))
        print(f"{sources} compiles")
    except Missing as missing:
        sys.exit(str(missing))
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{failed.stdout}{failed.stderr}")


if __name__ == "__main__":
    main()
