# Written by `make gen` from _async/. Don't edit it.
"""The rule book, without a photo."""

from collections.abc import Sequence

from eco2_client._sync.api import Api
from eco2_client.models import (
    Category,
    FindPlacesResponse,
    GetTaxonomyResponse,
    ItemMatch,
    MatchRulesResponse,
    Place,
    SearchItemsResponse,
)
from eco2_client.requests import Location, Request, given, latlng


class Rules:
    """`client.rules`. Each call may also raise Unauthenticated, Unavailable, Disconnected and TimedOut."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def search(self, name: str, *, limit: int = 5) -> tuple[ItemMatch, ...]:
        """The things of that name, best first; empty if nothing matches well enough.

        Args:
            name: What it is called: with particles, misspelt, by initial consonants or in English.
            limit: How many, at most 20.

        Raises:
            InvalidArgument: The name is empty or too long.
        """
        query = given(q=name, limit=limit)
        return (self._api.call(Request("GET", "/v1/items:search", SearchItemsResponse, query=query))).items

    def match(
        self, category: Category, *, tags: Sequence[str] = (), location: Location | None = None, region: str = "",
        building: str = "", question: str = "", candidates: Sequence[Category] = (),
    ) -> MatchRulesResponse:  # fmt: skip
        """How a kind of waste is disposed of.

        Args:
            category: What it is, as `search` and scans name it.
            tags: Situations from the closed list of `taxonomy`.
            location: Latitude and longitude of the user: decides where no region is given.
            region: The user's region.
            building: Code of the user's building.
            question: What the user asks or says about it.
            candidates: What it may be, if the category is 미분류.

        Raises:
            NotFound: CATEGORY_UNKNOWN.
            InvalidArgument: TAG_UNKNOWN.
        """
        body = given(
            category=category, tags=tuple(tags), location=latlng(location), region=region, building=building,
            user_input=question, candidates=tuple(candidates),
        )  # fmt: skip
        return self._api.call(Request("POST", "/v1/rules:match", MatchRulesResponse, body=body))

    def taxonomy(self) -> GetTaxonomyResponse:
        """All kinds of waste, for users who choose by themselves."""
        return self._api.call(Request("GET", "/v1/taxonomy", GetTaxonomyResponse))

    def places(
        self, location: Location, *, materials: Sequence[str] = (), radius_meters: int = 3000, limit: int = 5
    ) -> tuple[Place, ...]:
        """The nearest places that take a material, nearest first.

        Args:
            location: Latitude and longitude.
            materials: Middle (or major) categories that it must take, such as "전지"; any if empty.
            radius_meters: How far, at most 50,000.
            limit: How many, at most 50.

        Raises:
            InvalidArgument: `fields` says what is wrong.
        """
        where = {"location.latitude": location[0], "location.longitude": location[1]}
        query = given(**where, materials=tuple(materials), radius_meters=radius_meters, limit=limit)
        return (self._api.call(Request("GET", "/v1/places", FindPlacesResponse, query=query))).places
