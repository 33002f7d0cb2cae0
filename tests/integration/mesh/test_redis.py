"""The Redis client: what it must not do to its callers."""

import asyncio

import pytest
from redis.asyncio import Connection
from redis.exceptions import ConnectionError, ResponseError

from mesh.circuit_breakers import CircuitOpen
from mesh.redis import GuardedRedis, open_redis


@pytest.mark.parametrize("steps", range(12))
async def test_a_cancellation_of_who_listens_is_never_lost(redis_url: str, steps: int) -> None:
    """Whenever it comes: what listens to changes must end when it is told to."""
    async with open_redis(redis_url) as redis:
        for _ in range(20):
            task = asyncio.create_task(_listen_for_ever(redis))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=5)
            assert done
            assert task.cancelled()


async def _listen_for_ever(redis: GuardedRedis) -> None:
    async with redis.subscribed(["cancelled"]) as subscription:
        await subscription.listen(lambda _: None, lambda: True)


async def test_commands_given_together_go_out_together(redis_url: str) -> None:
    """Each gets its own answer, in whatever order they were given; the server reads a few times, not a hundred."""
    async with open_redis(redis_url) as redis:
        await redis.execute("PING")
        before = await _count(redis, "total_reads_processed")
        answers = await asyncio.gather(*(redis.execute("ECHO", f"word {number}") for number in range(100)))
        after = await _count(redis, "total_reads_processed")
    assert answers == [f"word {number}".encode() for number in range(100)]
    assert after - before < 50


async def test_who_leaves_takes_nobodys_answer(redis_url: str) -> None:
    """Cancelling one of many that share a conversation."""
    async with open_redis(redis_url) as redis:
        tasks = [asyncio.create_task(redis.execute("ECHO", str(number))) for number in range(10)]
        await asyncio.sleep(0)
        tasks[4].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert await redis.execute("ECHO", "next") == b"next"
    assert isinstance(answers.pop(4), asyncio.CancelledError)
    assert answers == [str(number).encode() for number in range(10) if number != 4]


async def test_a_connection_that_was_closed_while_idle_costs_nobody_an_error(redis_url: str) -> None:
    """Redis closes idle connections, and restarts."""
    async with open_redis(redis_url) as redis:
        number = await redis.execute("CLIENT", "ID")
        async with open_redis(redis_url) as other:
            await other.execute("CLIENT", "KILL", "ID", number)
        assert await redis.execute("ECHO", "again") == b"again"
        assert redis.breaker.closed


async def test_a_script_is_told_again_to_a_redis_that_forgot_it(redis_url: str) -> None:
    """As after a restart or a failover; that is no outage."""
    async with open_redis(redis_url) as redis:
        twice = redis.script("return ARGV[1] .. ARGV[1]")
        assert await twice([], ["ab"]) == b"abab"
        await redis.execute("SCRIPT", "FLUSH")
        assert await twice([], ["cd"]) == b"cdcd"
        assert redis.breaker.closed


async def test_an_error_opens_the_breaker_for_those_who_wait_behind(redis_url: str) -> None:
    """A server that refuses is as good as away; its neighbours in the conversation still get their answers."""
    async with open_redis(redis_url) as redis:
        refused = asyncio.create_task(redis.execute("NO-SUCH-COMMAND"))
        neighbour = asyncio.create_task(redis.execute("ECHO", "neighbour"))
        with pytest.raises(ResponseError):
            await refused
        assert await neighbour == b"neighbour"
        with pytest.raises(CircuitOpen):
            await redis.execute("PING")


async def test_a_dead_server_is_noticed_quickly() -> None:
    """Everything in Redis can be had elsewhere, so nobody waits for it."""
    async with open_redis("redis://127.0.0.1:1/0", timeout=0.1) as redis:
        with pytest.raises(ConnectionError):
            await redis.execute("PING")
        with pytest.raises(CircuitOpen):
            await redis.execute("PING")


async def _count(redis: GuardedRedis, figure: str) -> int:
    told = (await redis.execute("INFO", "stats")).decode()
    return int(next(line for line in told.splitlines() if line.startswith(figure + ":")).split(":")[1])


async def test_nobody_is_left_waiting_and_nothing_is_opened_again_when_it_hangs_up(redis_url: str) -> None:
    """At a process' end somebody may still want to remember something."""
    async with open_redis(redis_url) as redis:
        await redis.execute("PING")
        under_way = asyncio.create_task(redis.execute("BLPOP", "nothing", 0))
        behind = asyncio.create_task(redis.execute("ECHO", "behind"))
        await asyncio.sleep(0)
    for left in (under_way, behind, redis.execute("PING")):
        with pytest.raises(CircuitOpen):
            await left


async def test_a_fault_of_our_own_leaves_nobody_waiting_and_no_answer_to_the_wrong_one(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a library's parser: whoever asked is told that Redis is away, which all are ready for."""
    async with open_redis(redis_url) as redis:
        await redis.execute("SET", "fault", "value of another", "EX", 60)

        async def broken(*_: object) -> None:
            monkeypatch.undo()
            raise RuntimeError("unforeseen")

        monkeypatch.setattr(Connection, "read_response", broken)
        back = asyncio.Event()
        redis.breaker.when_closed(back.set)
        asked = [asyncio.create_task(redis.execute("GET", "fault")) for _ in range(2)]
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*asked, return_exceptions=True)
            await back.wait()
            assert await redis.execute("ECHO", "next") == b"next"
        assert all(isinstance(answer, CircuitOpen) for answer in answers)
