"""The photos' bucket, as operators see to it.

python -m mesh.bucket prepare   makes it: photos are forgotten in time, web pages may upload
python -m mesh.bucket check     asks the storage for everything that the services rely on
"""

import sys

from mesh.settings import end_misused


def main() -> None:
    """Runs one of them; only what that needs is loaded, since every start of the embedded stack waits for `prepare`."""
    match sys.argv[1:]:
        case ["prepare"]:
            from mesh.s3.prepare import main as command
        case ["check"]:
            from mesh.s3.check import main as command
        case _:
            end_misused(str(__doc__).partition("\n\n")[2].strip())
    command()


if __name__ == "__main__":
    main()
