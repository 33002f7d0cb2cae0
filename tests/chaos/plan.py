"""How bad it gets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One chaos run.

    Attributes:
        seconds: How long blows fall.
        pause: Seconds from one blow to the next, about.
        scans: Scans submitted meanwhile, at an even pace.
        poison: How many of them kill whoever runs them.
        workers: Worker processes.
        lease_seconds: Their lease.
        seed: Makes a run repeatable, as far as time allows.
    """

    seconds: float
    pause: float
    scans: int = 600
    poison: int = 2
    workers: int = 3
    lease_seconds: float = 3.0
    seed: int
