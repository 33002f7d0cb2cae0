"""`python -m tests.clients.older photo.jpg`: scans a photo as an older mobile app does, and prints its result.

It asks the stack of `var/stack.env`: set its variables first.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.clients.older.mobile_app import MobileApp
from tests.support.http import http_client


async def main(photo: bytes) -> None:
    """Scans one photo."""
    async with http_client() as http:
        app = MobileApp(http, os.environ["ECO2_REST_URL"], f"Bearer {os.environ['ECO2_TOKEN']}")
        print(json.dumps(await app.scan(photo), ensure_ascii=False, indent=2))


asyncio.run(main(Path(sys.argv[1]).read_bytes()))
