"""Imported first by a service's `__main__`: keeps rich out of it.

Where rich is installed, structlog loads it to print tracebacks in colour; ours are JSON. It is there for the command
line alone, and would take 3 to 4 MiB of every service.
"""

import sys

# With None in its place an import fails as if the package weren't there (Python's language reference, 5.3.1).
sys.modules["rich"] = None  # type: ignore[assignment]
