"""Memory of a process that has started and will run for long."""

import contextlib
import ctypes
import gc


def give_back() -> None:
    """Start-up leaves scratch that glibc would keep for ever; other C libraries don't.

    40 MB of Vision's model, and where modules had to be compiled first, 11 MiB of any service.
    """
    gc.collect()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
