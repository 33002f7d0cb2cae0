"""The stages as Celery tasks, chained."""

import time
from typing import Any

from celery import Task, chain

from bench.peer.application import stages, store
from bench.peer.application.celery_app import app
from bench.peer.application.store import Scan


class StageTask(Task):
    """A stage is tried again three times, with growing pauses; then the scan has failed."""

    abstract = True
    autoretry_for = (Exception,)
    retry_backoff = True
    retry_backoff_max = 120
    retry_jitter = True
    max_retries = 3

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Called by Celery."""
        store.report({"task_id": args[0]["task_id"], "error": str(exc)}, "failed")


@app.task(base=StageTask, name="scan.vision")
def vision(scan: Scan) -> Scan:
    """See `stages`."""
    return stages.vision(scan)


@app.task(base=StageTask, name="scan.rule")
def rule(scan: Scan) -> Scan:
    """See `stages`."""
    return stages.rule(scan)


@app.task(base=StageTask, name="scan.answer")
def answer(scan: Scan) -> Scan:
    """See `stages`."""
    return stages.answer(scan)


@app.task(base=StageTask, name="scan.reward")
def reward(scan: Scan) -> None:
    """See `stages`."""
    stages.reward(scan)


def start(task_id: str, image_url: str, user_input: str | None, user_id: str) -> None:
    """Puts a scan into the first queue; returns when RabbitMQ has confirmed that it has it."""
    scan = {
        "task_id": task_id,
        "user_id": user_id,
        "image_url": image_url,
        "user_input": user_input,
        "submitted_at": time.time(),
    }
    # argsrepr spares Celery a repr() of the growing scan on every hop.
    chain(one.set(argsrepr="scan") for one in (vision.s(scan), rule.s(), answer.s(), reward.s())).apply_async()
