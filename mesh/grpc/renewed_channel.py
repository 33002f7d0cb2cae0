"""A channel by mutual TLS whose next connections use the newest certificates.

gRPC's own channels keep the credentials they were made with (grpc/grpc#41779), so a change of the certificates makes
a new one inside. Calls at work hold the one they began on, which is gone with the last of them.
"""

from collections.abc import Callable
from typing import Any, NoReturn, Self

import grpc

from mesh.grpc.certificates import CertificateFiles, Certificates, channel_credentials

Opens = Callable[[grpc.ChannelCredentials], grpc.aio.Channel]


class RenewedChannel(grpc.aio.Channel):
    """A channel to one service.

    Args:
        files: The certificates.
        opens: Makes gRPC's own channel with some credentials.
    """

    def __init__(self, files: CertificateFiles, opens: Opens) -> None:
        self._files = files
        self._opens = opens
        self._used: Certificates = files.current()
        self._channel = opens(channel_credentials(self._used))

    @property
    def newest(self) -> grpc.aio.Channel:
        """The channel that new calls begin on."""
        certificates = self._files.current()
        if certificates is not self._used:
            self._used = certificates
            self._channel = self._opens(channel_credentials(certificates))
        return self._channel

    async def close(self, grace: float | None = None) -> None:
        """Ends calls at work; later ones are refused."""
        await self._channel.close(grace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Whether it is connected."""
        return self.newest.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits until that is otherwise."""
        await self.newest.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Waits until it is connected."""
        await self.newest.channel_ready()

    def unary_unary(self, *method: Any, **options: Any) -> Any:
        """Calls of a method with one reply."""
        return self._calls("unary_unary", method, options)

    def unary_stream(self, *method: Any, **options: Any) -> Any:
        """Calls of a method with a stream of replies."""
        return self._calls("unary_stream", method, options)

    def stream_unary(self, *method: Any, **options: Any) -> NoReturn:
        """Isn't there: no RPC of the mesh takes a stream."""
        raise NotImplementedError

    def stream_stream(self, *method: Any, **options: Any) -> NoReturn:
        """Isn't there: no RPC of the mesh takes a stream."""
        raise NotImplementedError

    def _calls(self, kind: str, method: tuple[Any, ...], options: dict[str, Any]) -> Callable[..., Any]:
        channel = self._channel
        callable_ = getattr(channel, kind)(*method, **options)

        def call(*request: Any, **arguments: Any) -> Any:
            nonlocal channel, callable_
            if (newest := self.newest) is not channel:
                channel, callable_ = newest, getattr(newest, kind)(*method, **options)
            return callable_(*request, **arguments)

        return call
