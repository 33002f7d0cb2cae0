"""The order in which the embedded stack stops."""

import asyncio
from pathlib import Path

import pytest

from local.stack import services
from local.stack.stack import Stack, StackPart
from local.stack.supervisor import Child
from mesh.settings import ServiceSettings


async def test_callers_stop_before_those_they_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Scan that drains still calls its peers; a refused connection would cost the scan one of its attempts."""
    events: list[tuple[str, str]] = []

    async def stop(child: Child) -> None:
        events.append(("begun", child.program.name))
        await asyncio.sleep(0)
        events.append(("ended", child.program.name))

    monkeypatch.setattr(Child, "stop", stop)
    await Stack(tmp_path, 0, StackPart.ALL, print, processes=None).stop()
    names = [name for event, name in events if event == "begun"]
    callers = ("envoy", "auth", "scan")
    assert events[:6] == [(event, name) for name in callers for event in ("begun", "ended")]
    assert set(names[3:7]) == {"vision", "rules", "character", "ratelimit"}
    assert set(names[7:]) == {"postgres", "valkey", "seaweedfs"}
    assert events.index(("begun", names[7])) > max(events.index(("ended", name)) for name in names[:7])


def test_a_service_is_given_the_time_it_may_take_to_end() -> None:
    """Killed before, a worker leaves its scans to the reaper, and each counts a crash."""
    drain, grace = (ServiceSettings.model_fields[name].default for name in ("drain_seconds", "grace_seconds"))

    # Its calls take the grace to end, and so may what they still do when they are cancelled.
    assert services.program("scan", ("scan",), "127.0.0.1:1", "127.0.0.1:2", 1, {}).grace > drain + 2 * grace


@pytest.mark.parametrize("named", [{}, {"ECO2_AUTH_CLIENTS": '{"kakao": {"id": "mine"}}'}], ids=["none", "kakao"])
def test_who_names_a_provider_gets_no_demo_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, str]
) -> None:
    """Its address file doesn't count: a shell that has read it wouldn't get the demo user at the next start."""
    monkeypatch.delenv("ECO2_AUTH_CLIENTS", raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    stack = Stack(tmp_path, 0, StackPart.ALL, print, demo=True)
    assert (tmp_path / "providers.yaml").exists() == (not named)
    assert not {"ECO2_AUTH_CLIENTS", "ECO2_AUTH_PROVIDERS"} & stack.variables.keys()
