"""The services that keep data of users, over gRPC: proto types end here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import grpc

from auth_svc.settings import AuthSettings
from eco2.character.v1 import character_service_pb2, character_service_pb2_grpc
from eco2.rules.v1 import building_service_pb2, building_service_pb2_grpc
from eco2.scan.v1 import scan_service_pb2, scan_service_pb2_grpc
from eco2.scan.v1.export_pb2 import Export
from mesh.grpc.access import AUTH
from mesh.grpc.client import Peer, open_channel
from mesh.grpc.host import Host

_SECONDS = 30.0
_EXPORT_SECONDS = 10.0


class UserDataPeers:
    """Scan, Character and Rules, as far as they keep data of users.

    Args:
        scan: To Scan.
        character: To Character.
        rules: To Rules.
    """

    def __init__(self, scan: grpc.aio.Channel, character: grpc.aio.Channel, rules: grpc.aio.Channel) -> None:
        self._scan = scan_service_pb2_grpc.ScanServiceStub(scan), Peer("scan")
        self._character = character_service_pb2_grpc.CharacterServiceStub(character), Peer("character")
        self._rules = building_service_pb2_grpc.BuildingServiceStub(rules), Peer("rules")

    async def export(self, user_id: str, account: str) -> Export:
        """Begins to put all of a user's data into one file, with what is kept here.

        Args:
            user_id: Whose.
            account: Account and sessions, as JSON.
        """
        scan, at_scan = self._scan
        request = scan_service_pb2.CreateExportRequest(user_id=user_id, account=account)
        export: Export = await at_scan.call(scan.CreateExport, request, timeout=_EXPORT_SECONDS)
        return export

    async def transfer(self, from_user: str, to_user: str) -> bool:
        """Gives everything of a user to another one; False if some of it is left.

        Raises:
            EcoError: Of the first that couldn't; the others have done what they could.
        """
        users = {"from_user_id": from_user, "to_user_id": to_user}
        (scan, at_scan), (character, at_character), (rules, at_rules) = self._scan, self._character, self._rules
        return await _all(
            at_character.call(
                character.TransferCharacters,
                character_service_pb2.TransferCharactersRequest(**users),
                timeout=_SECONDS,
            ),
            at_scan.call(scan.TransferScans, scan_service_pb2.TransferScansRequest(**users), timeout=_SECONDS),
            at_rules.call(
                rules.TransferBuildings, building_service_pb2.TransferBuildingsRequest(**users), timeout=_SECONDS
            ),
        )

    async def erase(self, user_id: str) -> bool:
        """Removes everything of a user; False if some of it is left. Raises as `transfer` does."""
        (scan, at_scan), (character, at_character), (rules, at_rules) = self._scan, self._character, self._rules
        return await _all(
            at_scan.call(scan.EraseScans, scan_service_pb2.EraseScansRequest(user_id=user_id), timeout=_SECONDS),
            at_character.call(
                character.EraseCharacters,
                character_service_pb2.EraseCharactersRequest(user_id=user_id),
                timeout=_SECONDS,
            ),
            at_rules.call(
                rules.EraseBuildings, building_service_pb2.EraseBuildingsRequest(user_id=user_id), timeout=_SECONDS
            ),
        )


async def _all(*calls: Awaitable[Any]) -> bool:
    """Whether all are done; waits for each, so that none is cut short by another one's error."""
    replies = await asyncio.gather(*calls, return_exceptions=True)
    done = True
    for reply in replies:
        if isinstance(reply, BaseException):
            raise reply
        done = done and reply.done
    return done


@asynccontextmanager
async def open_peers(settings: AuthSettings, host: Host | None) -> AsyncIterator[UserDataPeers]:
    """The services, by their targets, until the block is left."""
    async with AsyncExitStack() as stack:
        enter, to = stack.enter_async_context, partial(open_channel, AUTH, tls=settings.tls, host=host)
        yield UserDataPeers(
            await enter(to(settings.scan_target, "eco2.scan.v1.ScanService")),
            await enter(to(settings.character_target, "eco2.character.v1.CharacterService")),
            await enter(to(settings.rules_target, "eco2.rules.v1.BuildingService")),
        )
