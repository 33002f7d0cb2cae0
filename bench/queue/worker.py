"""One worker process of the benchmark: the real worker, execution and queue, between peers that answer at once.

It obeys words on its standard input (`go`, `release`, end of file to leave) and tells on its standard output, a line
each: `ready`, `done N` scans so far, `waiting N` at the gate, `starts` of the stages of a scan as JSON.
"""

import asyncio
import cProfile
import json
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop

from bench.queue.peers import InstantPeers
from mesh import telemetry
from mesh.circuit_breakers import CircuitBreaker
from mesh.postgres import Pool, listen, open_pool
from mesh.settings import ServiceSettings
from scan_svc.jobs.consumer import Handover, JobKind, Quarantine
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.worker import Worker
from scan_svc.pipeline.executor import Execution, ExecutionContext
from scan_svc.pipeline.stages import DEFAULTS, Pipeline
from scan_svc.progress.progress_log import ProgressLog
from scan_svc.progress.reader import ScanReader
from scan_svc.progress.snapshots import Snapshots
from scan_svc.rewards.job import RewardContext, RewardExecution
from scan_svc.rewards.store import RewardStore
from scan_svc.scans import Scan, State
from scan_svc.store import ScanStore

_TELL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Orders:
    """What the process is told on its command line, as JSON.

    Attributes:
        dsn: The database.
        capacity: Scans at once.
        hold: Vision waits for `release`.
        hops: Tell when the stages of each scan started.
        profile: Where to write a profile; nowhere if empty.
    """

    dsn: str
    capacity: int = 256
    hold: bool = False
    hops: bool = False
    profile: str = ""


class Counter(Snapshots):
    """Progress that goes nowhere but is counted."""

    def __init__(self, peers: InstantPeers, hops: bool) -> None:
        self.done = 0
        self._peers = peers
        self._hops = hops

    def announce(self, scan: Scan) -> None:
        """Counts a scan that has succeeded and got its reward."""
        if scan.state is State.SUCCEEDED and scan.results.reward:
            self.done += 1
            if self._hops:
                print("starts", json.dumps(self._peers.starts), flush=True)


async def work(orders: Orders) -> None:
    """Works from `go` until its standard input ends."""
    words = await _standard_input()
    gate = asyncio.Event()
    if not orders.hold:
        gate.set()
    peers = InstantPeers(gate)
    counter = Counter(peers, orders.hops)
    async with AsyncExitStack() as stack:
        settings = ServiceSettings(log_level="error", log_format="console")
        shared = stack.enter_context(telemetry.started("bench", settings))
        pool = await stack.enter_async_context(open_pool(orders.dsn))
        worker = _assemble(pool, peers, counter, shared, orders)
        print("ready", flush=True)
        await words.readline()
        hearing = asyncio.create_task(listen(orders.dsn, {"scan_ready": worker.wake}))
        telling = asyncio.create_task(_tell(counter, peers))
        async with worker.working():
            while word := (await words.readline()).strip():
                if word == b"release":
                    gate.set()
        for task in (hearing, telling):
            task.cancel()
        await asyncio.gather(hearing, telling, return_exceptions=True)


def _assemble(pool: Pool, peers: InstantPeers, counter: Counter, shared: telemetry.Telemetry, orders: Orders) -> Worker:
    queue, store = JobQueue(pool), ScanStore(pool)
    pipeline = Pipeline(DEFAULTS, peers, peers, peers)
    reader = ScanReader(counter, store.get_many, queue.ask_for_progress)
    progress = ProgressLog(pool, CircuitBreaker("redis", (), asyncio.Event().wait), counter.announce)
    handover, rewards = Handover(), RewardStore(pool)
    bench = ExecutionContext(
        queue, pipeline, progress, counter, reader, None, 300.0, 1.0, lambda: None, handover, lambda: None, 15.0
    )
    rewarding = RewardContext(rewards, pipeline, counter, reader.refresh, None, 1.0)
    suspects = Quarantine(queue.quarantine_waits, lambda: queue.due("suspects", 1.0), queue.claim_quarantined)
    kind = JobKind("scan", orders.capacity, queue.claim, lambda lease: Execution(bench, lease), suspects)
    later = JobKind(
        "reward", orders.capacity, rewards.claim, lambda lease: RewardExecution(rewarding, lease), handover=handover
    )
    return Worker(queue, [kind, later], lease_seconds=15.0, grace_seconds=5.0)


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _tell(counter: Counter, peers: InstantPeers) -> None:
    """Tells how far it is, whenever that has changed."""
    told = (0, 0)
    while True:
        await asyncio.sleep(_TELL_SECONDS)
        now = (counter.done, peers.waiting)
        if now != told:
            print(f"done {now[0]}\nwaiting {now[1]}", flush=True)
            told = now


def main() -> None:
    """`python -m bench.queue.worker '{"dsn": …}'`."""
    orders = Orders(**json.loads(sys.argv[1]))
    profile = cProfile.Profile()
    if orders.profile:
        profile.enable()
    uvloop.run(work(orders))
    if orders.profile:
        profile.disable()
        profile.dump_stats(orders.profile)


if __name__ == "__main__":
    main()
