"""A channel to a service of the same process: what generated stubs ask of `grpc.aio.Channel`, without a socket.

The contract is gRPC's, and `tests/integration/mesh/channels` holds both to it: deadlines, cancellation, codes,
metadata, limits and health are as by wire.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn, Self

import grpc

from mesh.grpc.access import spiffe_id
from mesh.grpc.inprocess.call import UnaryStreamCall, UnaryUnaryCall
from mesh.grpc.inprocess.endpoint import CallDetails, Endpoint
from mesh.grpc.inprocess.rpc import AuthContext, Metadata, Rpc

_CLOSED = "Channel is closed."


class MultiCallable:
    """Calls of one method.

    Args:
        channel: Where they go.
        kind: What a caller holds of one.
        method: "/package.Service/Method".
        serialize: Of requests; None leaves them as bytes.
        deserialize: Of replies; None leaves them as bytes.
    """

    def __init__(
        self,
        channel: "InProcessChannel",
        kind: Callable[[Rpc, Callable[[bytes], Any] | None], Any],
        method: str,
        serialize: Callable[[Any], bytes] | None,
        deserialize: Callable[[bytes], Any] | None,
    ) -> None:
        self._channel = channel
        self._kind = kind
        self._method = method
        self._serialize = serialize
        self._deserialize = deserialize

    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """Begins a call; its request may be changed afterwards. Credentials and compression mean nothing here."""
        content = self._serialize(request) if self._serialize else request
        details = CallDetails(self._method, tuple(metadata or ()))
        return self._kind(self._channel.begin(details, content, timeout, bool(wait_for_ready)), self._deserialize)


class InProcessChannel(grpc.aio.Channel):
    """A channel to one service of this process.

    Args:
        caller: Who calls, as `mesh.grpc.access` names it.
        endpoint: Where its calls arrive.
        retried: Full names of methods that are tried again on UNAVAILABLE.
        pauses: Seconds before each further try.
    """

    def __init__(
        self, caller: str, endpoint: Endpoint, retried: Collection[str] = (), pauses: Sequence[float] = ()
    ) -> None:
        self._caller: AuthContext = {"peer_uri": [spiffe_id(caller).encode()]}
        self._endpoint = endpoint
        self._pauses = dict.fromkeys(retried, pauses)
        self._closed = False

    def begin(self, details: CallDetails, request: bytes, timeout: float | None, wait_for_ready: bool) -> Rpc:
        """Begins a call.

        Raises:
            grpc.aio.UsageError: The channel was closed.
        """
        if self._closed:
            raise grpc.aio.UsageError(_CLOSED)
        rpc = Rpc(timeout, self._caller)
        pauses = self._pauses.get(details.method, ())
        self._endpoint.call(self, rpc, details, request, wait_for_ready=wait_for_ready, pauses=pauses)
        return rpc

    async def close(self, grace: float | None = None) -> None:
        """Cancels calls at work; later ones are refused."""
        self._closed = True
        self._endpoint.cancel(self, _CLOSED)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """READY while the service is SERVING."""
        if self._closed:
            return grpc.ChannelConnectivity.SHUTDOWN
        return grpc.ChannelConnectivity.READY if self._endpoint.serving else grpc.ChannelConnectivity.TRANSIENT_FAILURE

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> NoReturn:
        """Isn't needed here."""
        raise NotImplementedError

    async def channel_ready(self) -> None:
        """Waits until the service is SERVING."""
        await self._endpoint.wait()

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> Any:
        """Calls of a method with one reply."""
        return MultiCallable(self, UnaryUnaryCall, method, request_serializer, response_deserializer)

    def unary_stream(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> Any:
        """Calls of a method with a stream of replies."""
        return MultiCallable(self, UnaryStreamCall, method, request_serializer, response_deserializer)

    def stream_unary(self, method: str, *coding: Any, **options: Any) -> NoReturn:
        """Isn't there: no RPC of the mesh takes a stream."""
        raise NotImplementedError

    def stream_stream(self, method: str, *coding: Any, **options: Any) -> NoReturn:
        """Isn't there: no RPC of the mesh takes a stream."""
        raise NotImplementedError
