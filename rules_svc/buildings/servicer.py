"""BuildingService: houses with days and a place of their own."""

from collections.abc import Callable
from typing import Any

from google.protobuf.empty_pb2 import Empty

from eco2.rules.v1 import building_pb2
from eco2.rules.v1 import building_service_pb2 as pb
from eco2.rules.v1.building_service_pb2_grpc import BuildingServiceServicer
from mesh.grpc.identity import Caller, caller
from rules_svc.buildings import wire
from rules_svc.buildings.codes import canonical
from rules_svc.buildings.service import Buildings
from rules_svc.buildings.store import Building
from rules_svc.rulebook.regions import Regions


class BuildingServicer(BuildingServiceServicer):
    """Keeps buildings for those who manage them.

    Args:
        buildings: The buildings.
        regions: Gives the regions as they are known now.
    """

    def __init__(self, buildings: Buildings, regions: Callable[[], Regions]) -> None:
        self._buildings = buildings
        self._regions = regions

    async def CreateBuilding(self, request: pb.CreateBuildingRequest, context: Any) -> building_pb2.Building:
        """Creates a building."""
        who = caller(context)
        district, says = wire.to_district(request.building, self._regions()), wire.to_house_rules(request.building)
        return self._seen_by(who, await self._buildings.create(who.user_id, district, says))

    async def GetBuilding(self, request: pb.GetBuildingRequest, context: Any) -> building_pb2.Building:
        """Gives a building to whoever knows its code."""
        who = caller(context)
        _ = who.user_id
        return self._seen_by(who, await self._buildings.get(canonical(request.code)))

    async def ListBuildings(self, request: pb.ListBuildingsRequest, context: Any) -> pb.ListBuildingsResponse:
        """Lists the caller's own buildings."""
        who = caller(context)
        managed = await self._buildings.managed_by(who.user_id)
        return pb.ListBuildingsResponse(buildings=[self._seen_by(who, one) for one in managed])

    async def UpdateBuilding(self, request: pb.UpdateBuildingRequest, context: Any) -> building_pb2.Building:
        """Replaces what a building says."""
        who, asked = caller(context), request.building
        district, says = wire.to_district(asked, self._regions()), wire.to_house_rules(asked)
        version = wire.to_version(asked.etag)
        updated = await self._buildings.update(canonical(request.code), who.user_id, version, district, says)
        return self._seen_by(who, updated)

    async def DeleteBuilding(self, request: pb.DeleteBuildingRequest, context: Any) -> Empty:
        """Deletes a building."""
        version = wire.to_version(request.etag) if request.etag else None
        await self._buildings.delete(canonical(request.code), caller(context).user_id, version)
        return Empty()

    async def TransferBuildings(
        self, request: pb.TransferBuildingsRequest, context: Any
    ) -> pb.TransferBuildingsResponse:
        """Gives a guest's buildings to who they are; Auth calls this."""
        await self._buildings.transfer(request.from_user_id, request.to_user_id)
        return pb.TransferBuildingsResponse(done=True)

    async def EraseBuildings(self, request: pb.EraseBuildingsRequest, context: Any) -> pb.EraseBuildingsResponse:
        """Deletes a user's buildings; Auth calls this."""
        await self._buildings.erase(request.user_id)
        return pb.EraseBuildingsResponse(done=True)

    def _seen_by(self, who: Caller, building: Building) -> building_pb2.Building:
        return wire.from_building(building, who.user_id, self._regions(), who.locale)
