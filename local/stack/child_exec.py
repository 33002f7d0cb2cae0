"""Executes another program that ends with its parent.

Run as a script, with the standard library alone: `child_exec.py SIGNAL PARENT IDENTITY COMMAND…`. The kernel sends
SIGNAL to the program when the thread that started it is gone, even by kill -9. A pre-exec hook could do the same, but
not safely in a process that has threads.

IDENTITY is who the program runs as: `same`; `userns`, an ordinary user inside a user namespace of its own; or a uid,
which keeps root's right to reach files, since installation and data may lie in root's home.
"""

import ctypes
import os
import sys
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT = 1, 8, 47
_PR_CAP_AMBIENT_RAISE = 2
_CLONE_NEWUSER = 0x10000000
_CAPABILITY_VERSION, _CAP_DAC_OVERRIDE = 0x20080522, 1
_ORDINARY = 1000


_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signum: int) -> None:
    """Asks the kernel for `signum` when the thread that started this process ends."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0))


def _assume(identity: str) -> None:
    match identity:
        case "same":
            pass
        case "userns":
            _enter_namespace(os.geteuid(), os.getegid())
        case uid:
            _become(int(uid))


def _enter_namespace(uid: int, gid: int) -> None:
    _checked(_libc.unshare(_CLONE_NEWUSER))
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{_ORDINARY} {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{_ORDINARY} {gid} 1", encoding="ascii")


def _become(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    _checked(_libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setuid(uid)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    # Effective, permitted, inheritable; then the same for the capabilities from 32 up.
    capabilities = (ctypes.c_uint32 * 6)(*[1 << _CAP_DAC_OVERRIDE] * 3)
    _checked(_libc.capset(header, capabilities))
    _checked(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _main() -> None:
    signum, parent, identity, *command = sys.argv[1:]
    # In this order: new credentials clear the signal.
    _assume(identity)
    die_with_parent(int(signum))
    # The parent may have died before `prctl`; then the kernel never sends the signal.
    if os.getppid() == int(parent):
        os.execv(command[0], command)


if __name__ == "__main__":
    _main()
