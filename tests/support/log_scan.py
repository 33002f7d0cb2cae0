"""What no log may hold: the very secrets that a stack was run with, and what looks like one."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

# By name: what a line is searched for.
_PATTERNS: Mapping[str, re.Pattern[str]] = {
    "a signed address": re.compile(r"X-Amz-(?:Signature|Credential)", re.IGNORECASE),
    "a token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    "a bearer": re.compile(r"\bBearer\s+[\w-]{12,}", re.IGNORECASE),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a webhook's secret": re.compile(r"\bwhsec_[\w+/=]{12,}"),
    "a provider's key": re.compile(r"\bsk-[\w-]{8,}"),
}
_SHORTEST = 8  # characters of a secret that can be told from a word


def faults(folder: Path, secrets: Iterable[str] = ()) -> Iterator[str]:
    """Where logs hold what they mustn't: file, line and what it is, without quoting it.

    Args:
        folder: The stack's; its logs are in `log`.
        secrets: What the stack, or a test, used and no line may hold.
    """
    known = [secret for secret in secrets if len(secret) >= _SHORTEST]
    for path in sorted((folder / "log").glob("*.log")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if any(secret in line for secret in known):
                    yield f"{path.name}:{number}: a secret of this run"
                yield from (f"{path.name}:{number}: {name}" for name, each in _PATTERNS.items() if each.search(line))
