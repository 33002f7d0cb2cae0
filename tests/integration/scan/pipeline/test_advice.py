"""Rules and answer by one call, where nothing has to be stored between the two."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from eco2.rules.v1 import rules_service_pb2_grpc
from eco2.scan.v1 import scan_pb2
from mesh.errors import Unavailable
from mesh.grpc.server import Service, serving
from mesh.observability import telemetry
from mesh.reasons import Reason
from mesh.settings import ServiceSettings
from scan_svc.scans import State
from tests.integration.scan.client import Client, StartScanService
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually

CALLS = ("AdviseDisposal", "MatchRules", "ComposeAnswer")


def calls(peers: Peers) -> tuple[int, ...]:
    """How often each was called; AdviseDisposal does the work of the two others, and counts as them as well."""
    return tuple(peers.calls[method] for method in CALLS)


async def fail() -> None:
    raise Unavailable(Reason.UNAVAILABLE, peer="model", retry_after=0.01)


async def test_a_scan_that_runs_through_asks_rules_once(client: Client, peers: Peers) -> None:
    """Its rules aren't sent back to where they came from."""
    scan = await client.finished(await client.started())
    assert (scan.state, scan.answer.text) == (scan_pb2.Scan.STATE_SUCCEEDED, "비우고 내놓아요.")
    assert [rule.rule_id for rule in scan.rules] == ["metal"]
    assert calls(peers) == (1, 1, 1)


async def test_an_answer_that_is_tried_again_is_asked_for_alone(client: Client, peers: Peers) -> None:
    """By then the rules are stored."""
    tries = [fail, None]

    async def once() -> None:
        if failing := tries.pop(0):
            await failing()

    peers.before["ComposeAnswer"] = once
    scan = await client.finished(await client.started())
    assert scan.state == scan_pb2.Scan.STATE_SUCCEEDED
    assert {run.stage: run.attempts for run in scan.stages} == {"vision": 1, "rules": 1, "answer": 2, "reward": 1}
    assert calls(peers) == (1, 1, 2)


async def test_rules_that_failed_are_stored_before_an_answer_is_paid_for(parts: ScanParts) -> None:
    """Their second try is by itself, since a result that can't be stored must fail before more is paid."""
    answer, tries = Gate(), [fail, None]

    async def once() -> None:
        if failing := tries.pop(0):
            await failing()

    parts.peers.before |= {"rules": once, "answer": answer}
    async with parts.worker().working():
        scan_id = await parts.submit()
        await answer.held(1)
        stored = await parts.pool.fetch("select stage from scan.stage_result order by finished_at")
        assert [row["stage"] for row in stored] == ["vision", "rules"]
        answer.open()
        assert (await parts.ended(scan_id)).state is State.SUCCEEDED


async def test_a_worker_that_leaves_begins_no_answer(parts: ScanParts) -> None:
    """The running stage may end, and the one after it is for another worker, also where one call was made for both."""
    gate = parts.peers.before["rules"] = Gate()
    await parts.submit()
    worker = parts.worker()
    async with worker.working():
        await gate.held(1)
        worker.leave()
        gate.open()
    assert await parts.pool.fetchval("select stage from scan.job where kind = 'scan'") == "answer"
    assert parts.peers.calls["answer"] == 0


@asynccontextmanager
async def earlier_rules(peers: Peers) -> AsyncIterator[str]:
    """Rules of the release before, which has no AdviseDisposal."""

    class Methods:
        def __init__(self, real: Any) -> None:
            self._real = real

        def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
            known = {name: handler for name, handler in handlers.items() if name != "AdviseDisposal"}
            self._real.add_registered_method_handlers(service, known)

        def add_generic_rpc_handlers(self, handlers: Any) -> None:
            self._real.add_generic_rpc_handlers(handlers)

    def add(servicer: Any, server: Any) -> None:
        rules_service_pb2_grpc.add_RulesServiceServicer_to_server(servicer, Methods(server))

    settings = ServiceSettings(drain_seconds=0, grace_seconds=0)
    with telemetry.started("rules", settings) as shared:
        service = Service("eco2.rules.v1.RulesService", add, peers)
        async with serving(settings, [service], telemetry=shared) as server:
            yield f"127.0.0.1:{server.port}"


async def test_rules_of_the_release_before_are_asked_twice(start_scan_service: StartScanService, peers: Peers) -> None:
    """Pods are replaced in any order."""
    async with earlier_rules(peers) as target, start_scan_service("user", rules_target=target) as client:
        scan = await client.finished(await client.started())
    assert (scan.state, calls(peers)) == (scan_pb2.Scan.STATE_SUCCEEDED, (0, 1, 1))
    assert {run.stage: run.attempts for run in scan.stages}["rules"] == 1


async def test_an_answer_has_its_room_from_the_beginning(start_scan_service: StartScanService, peers: Peers) -> None:
    """However many scans have their rules, so many answers are paid for at once."""
    answering = peers.before["ComposeAnswer"] = Gate()
    async with start_scan_service("user", stages={"answer": {"concurrency": 2}}) as client:
        started = [await client.started() for _ in range(4)]

        async def all_have_rules() -> bool:
            return peers.calls["MatchRules"] == 4

        await eventually(all_have_rules)
        await answering.held(2)
        assert calls(peers) == (2, 4, 2)
        answering.open()
        for scan_id in started:
            assert (await client.finished(scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED
    assert calls(peers) == (2, 4, 4)
