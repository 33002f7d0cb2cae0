"""Imported first by a service's `__main__`: keeps out what only the command line and the tests need.

Libraries load these where they find them, and no service ever uses them: structlog rich, to print tracebacks in colour
(ours are JSON), 3 to 4 MiB; OpenAI's SDK aiohttp, for a client that isn't ours, 6 MiB; OpenTelemetry psutil, to
describe the machine, 1 MiB.
"""

import sys

for _package in ("rich", "aiohttp", "psutil"):
    # With None in its place an import fails as if the package weren't there (Python's language reference, 5.3.1).
    sys.modules[_package] = None  # type: ignore[assignment]
