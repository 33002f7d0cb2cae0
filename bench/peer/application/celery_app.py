"""Celery, and RabbitMQ's topology: a durable queue for each stage, each with a queue of dead letters.

Run as a program it declares the queues (`declare`), or prints how many workers the loneliest one has (`consumers`).
"""

import sys

from celery import Celery
from kombu import Exchange, Queue

from bench.peer.application import config

_HOUR = 3_600_000
# Milliseconds until a message is dead, and how often it is delivered.
_LIMITS = {"vision": (_HOUR, 3), "rule": (60_000, 5), "answer": (_HOUR, 3), "reward": (_HOUR, 3)}

_SCAN = Exchange("scan", type="topic")  # topic: Celery's delayed delivery, for retries, needs it
_DEAD = Exchange("dlx", type="topic")


def _queue(stage: str, milliseconds: int, deliveries: int) -> Queue:
    name = f"scan.{stage}"
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": deliveries,
        "x-message-ttl": milliseconds,
        "x-dead-letter-exchange": "dlx",
        "x-dead-letter-routing-key": f"dlq.{name}",
    }
    return Queue(name, _SCAN, routing_key=name, queue_arguments=arguments)


QUEUES = [_queue(stage, *limits) for stage, limits in _LIMITS.items()]
_DEAD_LETTERS = [
    Queue(f"dlq.{queue.name}", _DEAD, routing_key=f"dlq.{queue.name}", queue_arguments={"x-queue-type": "quorum"})
    for queue in QUEUES
]

app = Celery("scan", broker=config.AMQP_URL, include=["bench.peer.application.tasks"])
app.conf.update(
    task_queues=QUEUES,
    task_routes={queue.name: {"queue": queue.name, "routing_key": queue.name} for queue in QUEUES},
    task_default_queue=QUEUES[0].name,
    task_default_exchange="scan",
    task_default_exchange_type="topic",
    task_default_routing_key=QUEUES[0].name,
    task_default_queue_type="quorum",
    worker_detect_quorum_queues=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_acks_on_failure_or_timeout=False,  # a task out of retries becomes a dead letter
    task_time_limit=300,
    task_ignore_result=True,
    worker_prefetch_multiplier=config.PREFETCH,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    broker_transport_options={"confirm_publish": True},
    broker_pool_limit=config.BROKER_CONNECTIONS,  # who waits for a confirmation holds a connection
    broker_connection_retry_on_startup=True,
    broker_heartbeat=0,  # the API never sends any: an idle publisher would be hung up on
    task_serializer="json",
    accept_content=["json"],
)


def declare() -> None:
    """Makes the queues."""
    with app.connection_for_write() as connection, connection.channel() as channel:
        for queue in QUEUES + _DEAD_LETTERS:
            queue(channel).declare()


def consumers() -> int:
    """The fewest workers that any stage's queue has."""
    with app.connection_for_write() as connection, connection.channel() as channel:
        fewest: int = min(channel.queue_declare(queue.name, passive=True).consumer_count for queue in QUEUES)
        return fewest


if __name__ == "__main__":
    match sys.argv[1]:
        case "declare":
            declare()
        case "consumers":
            print(consumers())
