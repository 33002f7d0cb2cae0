"""The limits of a process that meets hostile bytes, which it sets upon itself before the first of them."""

import resource

_DESCRIPTORS = 5  # the socket, output, errors; a file, and its map


def confine(megabytes: int) -> None:
    """From now on no file or connection can be opened, and no more memory be had.

    Args:
        megabytes: Address space this process may use.
    """
    _limit(resource.RLIMIT_AS, megabytes << 20)
    _limit(resource.RLIMIT_CORE, 0)  # a core dump would hold a stranger's photo
    _limit(resource.RLIMIT_NOFILE, _DESCRIPTORS)


def limit_time(seconds: int) -> None:
    """From now on the kernel ends the process when it takes longer.

    Args:
        seconds: CPU time.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, most))


def _limit(what: int, value: int) -> None:
    resource.setrlimit(what, (value, value))
