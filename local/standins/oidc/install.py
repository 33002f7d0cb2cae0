"""Installs the provider from npm: `python -m local.standins.oidc.install`."""

import sys
from pathlib import Path

from local import npm

_PROGRAM = "provider.mjs"


def installed() -> Path:
    """The provider's program, installed if it isn't yet.

    Raises:
        npm.NoNode: It can't be.
        subprocess.CalledProcessError: npm couldn't get a package.
    """
    return npm.installed(Path(__file__).parent) / _PROGRAM


if __name__ == "__main__":
    try:
        print(installed())
    except npm.NoNode as missing:
        print(f"{missing}. Without it the tests of signing in are left out.", file=sys.stderr)
