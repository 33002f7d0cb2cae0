"""Makes a database ready that a backup was restored into: `python -m scan_svc.restored`, on ECO2_DATABASE_URL.

Once, before any service is started on it; `docs/operations.md` tells the rest.
"""

import asyncio
import os
import sys

import asyncpg

from mesh.migrations import NOT_AN_ADDRESS, direct_address
from mesh.postgres import Queries
from mesh.settings import end_misused

# More often than that no scan changes hands between a backup and the end of the database it was made of.
_HANDOVERS = 1000


async def resume(dsn: str) -> int:
    """Lets the scans that were under way go on where the backup has them.

    Args:
        dsn: The restored database.

    Returns:
        How many scans go on.
    """
    connection = await asyncpg.connect(dsn, timeout=5.0)
    try:
        return len(await connection.fetch(Queries("scan_svc")["restored"], _HANDOVERS))
    finally:
        await connection.close()


def main() -> None:
    """`python -m scan_svc.restored`, on ECO2_DATABASE_URL."""
    if sys.argv[1:]:
        end_misused(str(main.__doc__))
    if not (dsn := direct_address(os.environ)):
        end_misused("ECO2_DATABASE_URL is not set")
    try:
        count = asyncio.run(resume(dsn))
    except ValueError:  # asyncpg raises it for an invalid address
        end_misused(NOT_AN_ADDRESS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise SystemExit(f"PostgreSQL: {str(error) or type(error).__name__}") from None
    print(f"{count} scans go on")


if __name__ == "__main__":
    main()
