"""Nobody outlives a killed parent."""

import signal
import subprocess
import sys

import psutil

from local.stack import child_exec
from tests.integration.local.stacks import kill, left

LAUNCH = [sys.executable, "-I", "-S", child_exec.__file__]
# A parent that starts a child through the launcher, says its pid, and waits.
PARENT = """
import os, signal, subprocess, sys
launch, identity = sys.argv[1:]
words = [sys.executable, "-I", "-S", launch, str(int(signal.SIGKILL)), str(os.getpid()), identity]
child = subprocess.Popen([*words, sys.executable, "-c", "print('running', flush=True); import signal; signal.pause()"],
                         stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
signal.pause()
"""


def orphaned(identity: str) -> list[psutil.Process]:
    """Kills a parent with a running child; what is left of the child."""
    command = [sys.executable, "-c", PARENT, child_exec.__file__, identity]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        kill(parent.pid)
        return left([child])


def test_a_child_dies_with_its_killed_parent() -> None:
    """Else a killed supervisor would leave servers that hold ports and data."""
    assert orphaned("same") == []


def test_a_child_in_a_user_namespace_dies_too() -> None:
    """New credentials clear the death signal: it must be asked for after them."""
    assert orphaned("userns") == []


def test_nothing_is_started_for_a_parent_that_is_gone_already() -> None:
    """The kernel sends no signal for a death before the asking."""
    stranger = [*LAUNCH, str(int(signal.SIGKILL)), "1", "same", sys.executable, "-c", "print('started')"]
    assert subprocess.run(stranger, capture_output=True, check=True).stdout == b""
