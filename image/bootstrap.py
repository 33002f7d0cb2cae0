"""The base of the image: a Debian that holds Python and nothing that compiles, made from its packages.

It stands in for the Dockerfile's `debian:bookworm-slim` where no registry can be reached.
"""

import hashlib
import time
from pathlib import Path

from image.commands import run

_RELEASE = "bookworm"
_PACKAGES = ("python3", "ca-certificates")
# Instead of the package that would merge /bin into /usr, and brings 50 MB of Perl: it is laid out merged.
_MERGED = ("--include=usr-is-merged", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr")
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
_KEPT = ("/usr/share/doc/*/copyright",)
_FRESH_SECONDS = 86_400
# What mmdebstrap takes over from the machine it runs on.
_OF_THIS_MACHINE = 'rm -f "$1/etc/resolv.conf" "$1/etc/hostname"'


def bootstrap(target: Path, epoch: int) -> Path:
    """Makes the base as a tar, unless one of the same is there that is less than a day old: Debian mends its packages.

    Args:
        target: Where the tar goes; its recipe's digest is added to the name.
        epoch: Seconds since 1970: no file is younger.

    Raises:
        CommandFailed: mmdebstrap can't.
    """
    options = (
        "--variant=minbase",
        f"--include={','.join(_PACKAGES)}",
        *_MERGED,
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        *(f"--dpkgopt=path-include={pattern}" for pattern in _KEPT),
        f"--customize-hook={_OF_THIS_MACHINE}",
        "--aptopt=Apt::Install-Recommends false",
        "--skip=output/dev",  # whoever runs it makes these; a user without root can't even unpack them
    )
    recipe = hashlib.sha256(repr((options, _RELEASE)).encode()).hexdigest()[:12]
    made = target.with_name(f"{target.stem}-{recipe}{target.suffix}")
    if not made.exists() or made.stat().st_mtime < time.time() - _FRESH_SECONDS:
        print(f"Making a Debian {_RELEASE} with {' and '.join(_PACKAGES)} ...", flush=True)
        unfinished = target.with_name(f"unfinished{target.suffix}")
        run("mmdebstrap", *options, _RELEASE, unfinished, SOURCE_DATE_EPOCH=str(epoch))
        for old in target.parent.glob(f"{target.stem}-*{target.suffix}"):
            old.unlink()
        unfinished.rename(made)
    return made
