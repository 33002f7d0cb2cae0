"""Limits that a process sets itself before it reads what strangers have sent."""

import resource
from collections.abc import Mapping
from types import MappingProxyType

# None of the service's environment, with its keys. glibc returns large blocks at once and has one arena.
ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "1048576"}
)
"""What such a process is started with."""


def limit_process(megabytes: int, descriptors: int) -> None:
    """Limits this process for good.

    Args:
        megabytes: Address space it may use.
        descriptors: Open at once, those that are open now included: it opens no file and no connection any more.
    """
    _limit(resource.RLIMIT_AS, megabytes << 20)
    _limit(resource.RLIMIT_CORE, 0)  # a core dump would hold a stranger's data
    _limit(resource.RLIMIT_NOFILE, descriptors)


def limit_time(seconds: int) -> None:
    """Lets the kernel end this process when it has used so much CPU time from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, most))


def _limit(what: int, value: int) -> None:
    resource.setrlimit(what, (value, value))
