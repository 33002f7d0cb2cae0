"""A cluster: keys lie in 16,384 slots, which several servers share and hand to each other.

redis-py knows the servers, their connections and who has which slot. Not used are its pipeline and its way of following
redirections: see ADR 0068.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.cluster import PRIMARY, REPLICA
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ConnectionError,
    MovedError,
    RedisClusterException,
    TryAgainError,
)

from mesh.concurrency.silence_timeout import silence_timeout
from mesh.redis.server import Command, Word, reply
from mesh.redis.subscription import Moving, Subscription, hang_up, subscribe

_PAUSE_SECONDS = 0.01
# At most so often is asked who has which slot, while redirections say that it has changed.
_REFRESH_SECONDS = 1.0
_SCRIPTS = ("EVAL", "EVALSHA")


class Cluster:
    """The primaries of a cluster.

    Args:
        client: Of redis-py, whose connections have no time limit of their own.
        timeout: Seconds for any answer.
    """

    sharded = True

    def __init__(self, client: RedisCluster, timeout: float) -> None:
        self._nodes = client.nodes_manager
        self._given = dict(self._nodes.startup_nodes)
        self._timeout = timeout
        self._stale = True
        self._refreshed_at = 0.0
        self._changes = 0  # of who has which slot
        self._primaries = frozenset[str]()
        self._replicas = frozenset[str]()
        self._replaced = False

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """As the port says. What is an error of one server alone stands in place of its answers."""
        async with silence_timeout(self._timeout):
            await self._refresh_if_stale()
            replies: list[Any] = [None] * len(commands)
            unanswered: Sequence[int] = range(len(commands))
            tries = 0
            while unanswered:
                if tries > 1:  # once is a matter of course; more often, servers are at handing slots over
                    await asyncio.sleep(_PAUSE_SECONDS)
                tries += 1
                await self._send(commands, unanswered, replies)
                unanswered = [place for place in unanswered if await self._redirected(commands, place, replies)]
                lost = [place for place, answer in enumerate(replies) if isinstance(answer, ConnectionError)]
                if lost:
                    self._stale = True
                    if tries == 1:  # as closed while it was idle, or taken over by a replica
                        await self._refresh()
                        unanswered = sorted({*unanswered, *lost})
            return replies

    def replaced(self) -> bool:
        """As the port says."""
        replaced, self._replaced = self._replaced, False
        return replaced

    async def probes(self) -> Sequence[Command]:
        """As the port says: one write for each primary."""
        async with silence_timeout(self._timeout):
            await self._refresh()
        keys: dict[str, str] = {}
        for number in range(16_384):
            keys.setdefault(self._owner(f"probe:{number}").name, f"probe:{number}")
            if len(keys) == len(self._primaries):
                break
        return [("SET", key, 1, "EX", 60) for key in keys.values()]

    async def subscription(self, channels: Sequence[str]) -> Subscription:
        """As the port says: each primary tells of its own slots, over a connection that ends when it does."""
        async with silence_timeout(self._timeout):
            await self._refresh_if_stale()
            subscribed = await self._subscribed(channels)
        changes, places = self._changes, self._places(channels)

        def stands() -> bool:
            nonlocal changes
            if changes != self._changes:
                changes = self._changes
                return self._places(channels) == places
            return True

        return Subscription(subscribed, stands)

    async def hang_up(self) -> None:
        """As the port says."""
        for node in self._nodes.nodes_cache.values():
            await node.disconnect_free_connections()

    async def aclose(self) -> None:
        """As the port says."""
        self._nodes.startup_nodes.update(self._given)
        await self._nodes.aclose()
        await self._nodes.aclose("startup_nodes")

    async def _subscribed(self, channels: Sequence[str]) -> Sequence[AbstractConnection]:
        """A connection to each primary that has some of the channels."""
        places = self._places(channels)
        connections = [_dedicated(node) for node in places]
        subscribing = (
            subscribe(one, "SSUBSCRIBE", there) for one, there in zip(connections, places.values(), strict=True)
        )
        try:
            answers = await asyncio.gather(*subscribing, return_exceptions=True)
            if errors := [answer for answer in answers if isinstance(answer, BaseException)]:
                await self._find_moved(errors)
        except BaseException:
            await hang_up(connections)
            raise
        return connections

    async def _find_moved(self, errors: Sequence[BaseException]) -> None:
        """Finds where channels are.

        Raises:
            Moving: Always, if that was all that was wrong; else what was.
        """
        for error in errors:
            if not isinstance(error, MovedError | Moving):
                self._stale = True
                raise error
        await self._refresh()
        for error in errors:  # whoever said so knows better than whoever was asked now
            if isinstance(error, MovedError):
                await self._move(error)
        raise Moving

    async def _send(self, commands: Sequence[Command], places: Sequence[int], replies: list[Any]) -> None:
        """Sends some of the commands to who has their slots, to all at once; their answers go to their places."""
        by_node: dict[ClusterNode, list[int]] = defaultdict(list)
        for place in places:
            by_node[self._owner(_key(commands[place]))].append(place)
        answers = await asyncio.gather(
            *(_converse(node, [commands[place] for place in there]) for node, there in by_node.items()),
            return_exceptions=True,
        )
        for there, answered in zip(by_node.values(), answers, strict=True):
            if isinstance(answered, BaseException):
                if not isinstance(answered, ConnectionError):
                    raise answered
                answered = [answered] * len(there)
            for place, answer in zip(there, answered, strict=True):
                replies[place] = answer

    async def _redirected(self, commands: Sequence[Command], place: int, replies: list[Any]) -> bool:
        """Whether a command has to be sent again, since its slot is elsewhere or on its way there."""
        answer, command = replies[place], commands[place]
        if isinstance(answer, MovedError):
            await self._move(answer)
            return True
        if isinstance(answer, AskError) and command[0] not in _SCRIPTS:
            replies[place] = answer = (await _converse(self._asked(answer), [("ASKING",), command]))[1]
        # A script waits until its slot has moved: it may publish, and who listens does so where the slot was.
        return isinstance(answer, AskError | TryAgainError)

    def _asked(self, answer: AskError) -> ClusterNode:
        """The server that an answer names; it may have no slot yet, so that nobody has told of it."""
        node = self._nodes.get_node(answer.host, answer.port)
        if node is None:
            node = ClusterNode(answer.host, answer.port, PRIMARY, **self._nodes.connection_kwargs)
            self._nodes.set_nodes(self._nodes.nodes_cache, {node.name: node})
        return node

    async def _move(self, answer: MovedError) -> None:
        """Remembers where a slot is. Where one has moved others may have: soon all are asked for."""
        await self._nodes.move_slot(answer)
        self._stale = True
        self._note_primaries()

    async def _refresh_if_stale(self) -> None:
        if self._stale and time.monotonic() - self._refreshed_at > _REFRESH_SECONDS:
            await self._refresh()

    async def _refresh(self) -> None:
        """Asks who has which slot.

        Raises:
            ConnectionError: Nobody says, or not of all slots.
        """
        try:
            await self._nodes.initialize()
        except RedisClusterException as error:  # no RedisError, and its text is long
            # redis-py knows those alone that were there last; the names that were given may lead to others by now.
            self._nodes.startup_nodes.update(self._given)
            raise ConnectionError(str(error).splitlines()[0]) from error
        self._stale, self._refreshed_at = False, time.monotonic()
        self._note_primaries()

    def _note_primaries(self) -> None:
        self._primaries = frozenset(node.name for node in self._nodes.get_nodes_by_server_type(PRIMARY))
        # A replica that is a primary now has taken over; one that has lost its last slot hasn't lost a write.
        self._replaced = self._replaced or bool(self._replicas & self._primaries)
        self._replicas = frozenset(node.name for node in self._nodes.get_nodes_by_server_type(REPLICA))
        self._changes += 1

    def _owner(self, key: Word | None) -> ClusterNode:
        if key is None:
            return self._nodes.default_node
        return self._nodes.get_node_from_slot(key_slot(key if isinstance(key, bytes) else str(key).encode()))

    def _places(self, channels: Sequence[str]) -> Mapping[ClusterNode, Sequence[str]]:
        """The channels by the server that has their slot."""
        places: dict[ClusterNode, list[str]] = defaultdict(list)
        for channel in channels:
            places[self._owner(channel)].append(channel)
        return places


def _key(command: Command) -> Word | None:
    """A command's first key: all others are in the same slot. None of one without any."""
    if command[0] in _SCRIPTS:
        return command[3] if command[2] else None
    return command[1] if len(command) > 1 else None


async def _converse(node: ClusterNode, commands: Sequence[Command]) -> list[Any]:
    """Sends commands together over one connection; their answers in order."""
    connection = node.acquire_connection()
    try:
        await node.disconnect_if_needed(connection)
        await connection.send_packed_command(connection.pack_commands(commands))
        return [await reply(connection) for _ in commands]
    finally:
        node.release(connection)


def _dedicated(node: ClusterNode) -> AbstractConnection:
    return node.connection_class(**node.connection_kwargs, retry=Retry(NoBackoff(), 0))
