"""What breaks an invariant, and in whose history that can be read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offence:
    """One breach.

    Attributes:
        text: What was found.
        client: Who met with it; "" if nobody did.
        scan_id: With which scan; "" if with none.
    """

    text: str
    client: str = ""
    scan_id: str = ""
