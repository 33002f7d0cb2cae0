"""CharacterService: the catalogue, each user's collection, and a reward for each well-sorted scan."""

from typing import Any

from character_svc import wire
from character_svc.catalogue import Catalogue
from character_svc.ownership import Ownership
from character_svc.rewards import decide
from character_svc.store import RewardStore
from eco2.character.v1 import character_service_pb2 as pb
from eco2.character.v1.character_service_pb2_grpc import CharacterServiceServicer
from mesh.grpc.identity import caller
from mesh.locale import Locale


class CharacterServicer(CharacterServiceServicer):
    """Answers from the catalogue and the store.

    Args:
        catalogue: Every character there is.
        store: Rewards and collections.
        ownership: Whose they are.
    """

    def __init__(self, catalogue: Catalogue, store: RewardStore, ownership: Ownership) -> None:
        self._catalogue = catalogue
        self._store = store
        self._ownership = ownership

    async def EvaluateReward(self, request: pb.EvaluateRewardRequest, context: Any) -> pb.EvaluateRewardResponse:
        """Grants what a scan earned; Scan calls this on behalf of the scan's user."""
        decision = decide(wire.to_facts(request), self._catalogue)
        reward = await self._store.evaluate(
            wire.to_scan_id(request), wire.to_user_id(request, caller(context)), decision, corrected=request.corrected
        )
        locale = Locale.parse(request.locale)
        return pb.EvaluateRewardResponse(reward=wire.from_reward(reward, self._catalogue, locale))

    async def ListCharacters(self, request: pb.ListCharactersRequest, context: Any) -> pb.ListCharactersResponse:
        """Lists the catalogue."""
        locale = caller(context).locale_or(request.locale)
        characters = [wire.from_character(character, locale) for character in self._catalogue]
        return pb.ListCharactersResponse(characters=characters)

    async def ListOwnedCharacters(
        self, request: pb.ListOwnedCharactersRequest, context: Any
    ) -> pb.ListOwnedCharactersResponse:
        """Lists the caller's collection."""
        user = caller(context)
        owned = await self._store.list_owned(user.user_id)
        return wire.from_collection(owned, self._catalogue, user.locale_or(request.locale))

    async def TransferCharacters(
        self, request: pb.TransferCharactersRequest, context: Any
    ) -> pb.TransferCharactersResponse:
        """Gives a guest's characters to who they are; Auth calls this."""
        await self._ownership.transfer(request.from_user_id, request.to_user_id)
        return pb.TransferCharactersResponse(done=True)

    async def EraseCharacters(self, request: pb.EraseCharactersRequest, context: Any) -> pb.EraseCharactersResponse:
        """Removes what a user owned; Auth calls this."""
        await self._ownership.erase(request.user_id)
        return pb.EraseCharactersResponse(done=True)
