"""The rule book, places and characters over REST."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote

from google.protobuf import empty_pb2

from eco2.character.v1 import character_service_pb2
from eco2.rules.v1 import building_pb2, building_service_pb2, rules_service_pb2
from eco2.vision.v1 import classification_pb2
from local.cli.api.http import Http
from mesh.locale import Locale


class RulesClient:
    """A signed-in user's client of the rule book. Use it in a `with` block.

    Args:
        base_url: Of the edge.
        token: The user's bearer token.
        locale: Language of texts and errors.
    """

    def __init__(self, base_url: str, token: str, locale: Locale) -> None:
        self._http = Http(base_url, locale, token)
        self._locale = locale

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.__exit__(kind, error, at)

    def find(self, name: str, limit: int | None = None) -> rules_service_pb2.SearchItemsResponse:
        """What is called so, best first."""
        query = {"q": name, "limit": limit}
        return self._http.call("GET", "/v1/items:search", rules_service_pb2.SearchItemsResponse(), query=query)

    def taxonomy(self, locale: Locale | None = None) -> rules_service_pb2.GetTaxonomyResponse:
        """All categories and situations, with their names."""
        query = {"locale": locale or self._locale}
        return self._http.call("GET", "/v1/taxonomy", rules_service_pb2.GetTaxonomyResponse(), query=query)

    def match(
        self, category: classification_pb2.Category, tags: Sequence[str], region: str, building: str = ""
    ) -> rules_service_pb2.MatchRulesResponse:
        """The rules for a category, in a situation, a region and a building."""
        request = rules_service_pb2.MatchRulesRequest(
            category=category, tags=tags, region=region, building=building, locale=self._locale
        )
        return self._http.call("POST", "/v1/rules:match", rules_service_pb2.MatchRulesResponse(), request)

    def places(
        self, location: tuple[float, float], materials: Sequence[str], radius_meters: int, limit: int
    ) -> rules_service_pb2.FindPlacesResponse:
        """The nearest places, nearest first."""
        latitude, longitude = location
        query = {
            "location.latitude": latitude,
            "location.longitude": longitude,
            "materials": list(materials),
            "radius_meters": radius_meters,
            "limit": limit,
        }
        return self._http.call("GET", "/v1/places", rules_service_pb2.FindPlacesResponse(), query=query)

    def characters(self) -> character_service_pb2.ListCharactersResponse:
        """Every character there is."""
        return self._http.call("GET", "/v1/characters", character_service_pb2.ListCharactersResponse())

    def owned_characters(self) -> character_service_pb2.ListOwnedCharactersResponse:
        """The user's own, first earned first."""
        return self._http.call("GET", "/v1/me/characters", character_service_pb2.ListOwnedCharactersResponse())

    def create_building(self, building: building_pb2.Building) -> building_pb2.Building:
        """Creates a building."""
        request = building_service_pb2.CreateBuildingRequest(building=building)
        return self._http.call("POST", "/v1/buildings", building_pb2.Building(), request)

    def building(self, code: str) -> building_pb2.Building:
        """The building with a code."""
        return self._http.call("GET", _path(code), building_pb2.Building())

    def buildings(self) -> building_service_pb2.ListBuildingsResponse:
        """The buildings that the user manages."""
        return self._http.call("GET", "/v1/buildings", building_service_pb2.ListBuildingsResponse())

    def update_building(self, building: building_pb2.Building) -> building_pb2.Building:
        """Replaces what a building says, by its code and etag."""
        request = building_service_pb2.UpdateBuildingRequest(building=building)
        return self._http.call("PUT", _path(building.code), building_pb2.Building(), request)

    def delete_building(self, code: str) -> None:
        """Deletes a building, whatever it says now."""
        self._http.call("DELETE", _path(code), empty_pb2.Empty())


def _path(code: str) -> str:
    return f"/v1/buildings/{quote(code, safe='')}"
