"""One worker process of the benchmark: the real worker, execution and queue, between peers that answer at once.

It obeys words on its standard input (`go`, `release`, end of file to leave) and tells on its standard output, a line
each: `ready`, `done N` scans so far, `waiting N` at the gate, `starts` of the stages of a scan as JSON.
"""

import asyncio
import cProfile
import functools
import json
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop

from bench.queue.peers import InstantPeers
from mesh.circuit_breakers import CircuitBreaker
from mesh.observability import telemetry
from mesh.postgres import Pool, listen, open_pool
from mesh.settings import ServiceSettings
from scan_svc.jobs.consumer import Consumer, JobKind
from scan_svc.jobs.leases import REWARD_KIND, SCAN_KIND
from scan_svc.jobs.notifier import Notifier
from scan_svc.jobs.periodic import Schedule
from scan_svc.jobs.quarantine import Quarantine
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.worker import Worker
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.pipeline.executor import Execution, ExecutionContext, ExecutionLimits
from scan_svc.pipeline.stages import DEFAULTS, Pipeline
from scan_svc.progress.owners import Owners
from scan_svc.progress.progress import Progress
from scan_svc.progress.progress_log import ProgressLog
from scan_svc.progress.reader import ScanReader
from scan_svc.progress.snapshots import Snapshot, Snapshots
from scan_svc.rewards.evaluation import RewardContext, RewardEvaluation
from scan_svc.rewards.store import RewardStore
from scan_svc.scans import Priority, Scan, State
from scan_svc.store import ScanStore

_TELL_SECONDS = 0.02
_LEASE_SECONDS = 15.0


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

    def announce(self, scan: Scan | Snapshot) -> None:
        """Counts a scan that has succeeded and got its reward."""
        if isinstance(scan, Scan) and scan.state is State.SUCCEEDED and scan.results.reward:
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
    queue, store, workers = JobQueue(pool), ScanStore(pool), WorkerRegistry(pool)
    pipeline = Pipeline(DEFAULTS, peers, peers, peers)
    notifier = Notifier(pool)
    wake = notifier.wake
    reader = ScanReader(counter, store.get_many, notifier.ask_for_progress)
    log = ProgressLog(pool, CircuitBreaker("redis", (), asyncio.Event().wait), counter.announce)
    progress, rewards = Progress(counter, reader, Owners(pool), log), RewardStore(pool)
    rewarding = functools.partial(RewardEvaluation, RewardContext(rewards, pipeline, progress, 1.0))
    later = Consumer(JobKind(REWARD_KIND, orders.capacity, rewards.claim, rewarding, handed_over=True), workers, wake)
    limits = ExecutionLimits(dict.fromkeys(Priority, 300.0), 1.0, _LEASE_SECONDS)
    context = ExecutionContext(queue, pipeline, progress, limits, later, lambda kind: None)
    quarantine = Quarantine(queue, Schedule(pool), _LEASE_SECONDS)
    execute = functools.partial(Execution, context)
    scans = Consumer(JobKind(SCAN_KIND, orders.capacity, queue.claim, execute, quarantine), workers, wake)
    return Worker(workers, [scans, later], lease_seconds=_LEASE_SECONDS, grace_seconds=5.0)


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
