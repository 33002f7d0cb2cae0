"""What the workers keep: progress and results in Redis, the scan's row in PostgreSQL, budgets in Redis."""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
import redis
from psycopg_pool import ConnectionPool

from bench.peer.application import config

# A scan on its way through the queues: what the stages before have found out.
Scan = dict[str, Any]
Command = tuple[Any, ...]

_KNOWN = ("classification", "disposal_rules", "answer", "draft", "reward", "error")
_CONNECTIONS = 8
_TIMEOUT_SECONDS = 60.0
_DAY = 86_400
_CAP = 1_000_000_000  # as good as none

# A call is counted against the minute, the user's day and everybody's day, before it is made.
_RESERVE = """
local cap = tonumber(ARGV[3])
if cap > 0 and tonumber(redis.call('GET', KEYS[2]) or '0') + tonumber(ARGV[2]) > cap then return 0 end
local minute = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], 120)
if minute > 1e12 then return 0 end
for place = 2, 3 do redis.call('INCRBY', KEYS[place], ARGV[2]); redis.call('EXPIRE', KEYS[place], 172800) end
return 1
"""


def event(scan: Mapping[str, Any], stage: str) -> bytes:
    """What who watches or asks is told: how far a scan is, and what is known by now."""
    told: bytes = orjson.dumps(
        {
            "job_id": scan["task_id"],
            "stage": stage,
            "progress": config.PERCENT.get(stage, config.FAILED),
            "ts": time.time(),
            **{name: scan[name] for name in _KNOWN if name in scan},
        }
    )
    return told


def report(scan: Scan, stage: str, result: bytes | None = None) -> None:
    """Keeps and publishes how far a scan is; settles the last call's budget along with it."""
    job_id, data = scan["task_id"], event(scan, stage)
    pipe = _redis().pipeline(transaction=False)
    for name, *arguments in scan.pop("settle", ()):
        getattr(pipe, name)(*arguments)
    if result is not None:
        pipe.setex(config.result_key(job_id), config.RESULT_SECONDS, result)
    pipe.setex(config.progress_key(job_id), config.PROGRESS_SECONDS, data)
    pipe.publish(config.channel(job_id), data)
    pipe.execute()


def finish(scan: Scan) -> None:
    """Writes a scan's result down for good, then tells."""
    settle = scan.pop("settle", ())
    result = orjson.dumps(scan)
    with _postgres().connection() as connection:
        connection.execute(
            "UPDATE scans SET state = 'done', result = %s, ended_at = now() WHERE job_id = %s AND state <> 'done'",
            (result.decode(), scan["task_id"]),
        )
    report({**scan, "settle": settle}, "done", result)


def reserve(user_id: str, tokens: int) -> Sequence[str]:
    """Counts a call that will use so many tokens; returns where.

    Raises:
        RuntimeError: There is no budget left.
    """
    now = int(time.time())
    keys = [f"budget:{now // 60}", f"cost:{now // _DAY}:{user_id}", f"cost:{now // _DAY}"]
    if not _reserve_script()(keys=keys, args=[tokens, tokens, _CAP]):
        raise RuntimeError("budget spent")
    return keys


def settled(keys: Sequence[str], estimate: int, used: int) -> Sequence[Command]:
    """What corrects the estimate of a call; sent along with the next progress."""
    return [("decrby", key, estimate - used) for key in keys]


@cache
def _redis() -> "redis.Redis":
    return redis.Redis.from_url(config.REDIS_URL, max_connections=2 * config.CONCURRENCY + 8)


@cache
def _reserve_script() -> Any:
    return _redis().register_script(_RESERVE)


@cache
def _postgres() -> Any:
    size = 1 if config.POOL == "prefork" else _CONNECTIONS
    options = {"autocommit": True}
    return ConnectionPool(
        config.POSTGRES_URL, min_size=1, max_size=size, timeout=_TIMEOUT_SECONDS, kwargs=options, open=True
    )
