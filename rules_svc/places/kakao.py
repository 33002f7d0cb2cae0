"""Kakao Local, a second source of places.

    GET /v2/local/search/keyword.json?query=…&x=…&y=…&radius=…&sort=distance&size=15
    Authorization: KakaoAK <REST API key>

Source: https://developers.kakao.com/docs/latest/en/local/dev-guide. It is asked for squares of about 500 m, so that
neighbours share a response, which is cached for minutes. Every failure (slow, down, over quota, invalid) means "no
further places": a log line and a pause, never an error to the caller.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

import httpx2
import msgspec
import structlog
import yaml

from mesh.circuit_breakers import ProviderBreaker
from mesh.locale import Text
from rules_svc.places.places import Location, NearbyPlace, Place, PlaceKind
from rules_svc.places.quota import AnswerCache, DailyQuota

_log = structlog.get_logger("kakao")

SOURCE = "kakao"
PATH = "/v2/local/search/keyword.json"
# Kakao's own limits.
_MOST_RADIUS_METERS = 20_000
_PAGE = 15
# Sides of the squares that share an answer, in degrees; their half diagonal is less than so many metres.
_SQUARE = 0.005
_SQUARE_METERS = 400
_MOST_SEARCHES = 2


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A search of `data/places/kakao.yaml`."""

    keyword: str
    kind: PlaceKind
    materials: tuple[str, ...]


class Document(msgspec.Struct, frozen=True):
    """A hit, as far as we use it. Coordinates are degrees in texts: x is the longitude."""

    id: str
    place_name: str
    x: str
    y: str
    address_name: str = ""
    road_address_name: str = ""
    phone: str = ""
    place_url: str = ""


class Hits(msgspec.Struct, frozen=True):
    """A response."""

    documents: list[Document]


@dataclass(frozen=True, slots=True)
class Square:
    """A square of the map, by its centre."""

    latitude: float
    longitude: float

    @classmethod
    def around(cls, location: Location) -> "Square":
        """The square a location lies in."""
        latitude = round(round(location.latitude / _SQUARE) * _SQUARE, 4)
        return cls(latitude, round(round(location.longitude / _SQUARE) * _SQUARE, 4))


class KakaoPlaces:
    """Places of Kakao Local.

    Args:
        client: With the base address and the key.
        searches: What is asked for.
        cache: Earlier responses.
        quota: How many calls a day.
        breaker: Stops calls to Kakao for a while after failures.
        timeout: Seconds a call may take.
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        searches: Sequence[Search],
        cache: AnswerCache,
        quota: DailyQuota,
        breaker: ProviderBreaker,
        timeout: float,
    ) -> None:
        self._client = client
        self._searches = tuple(searches)
        self._cache = cache
        self._quota = quota
        self._breaker = breaker
        self._timeout = timeout

    async def nearest(self, location: Location, materials: Sequence[str], radius_meters: float) -> list[NearbyPlace]:
        """Places that take one of the materials; none if Kakao can't answer, or no material is asked for.

        Args:
            location: The user's location.
            materials: Categories it must take, any one of them.
            radius_meters: How far they may be.
        """
        wanted = [search for search in self._searches if set(search.materials) & set(materials)][:_MOST_SEARCHES]
        found = await asyncio.gather(*(self._search(search, location, radius_meters) for search in wanted))
        near = (NearbyPlace(place, location.meters_to(place.location)) for places in found for place in places)
        return [nearby for nearby in near if nearby.distance_meters <= radius_meters]

    async def _search(self, search: Search, location: Location, radius_meters: float) -> Sequence[Place]:
        square, reach = Square.around(location), 1000 * (1 + int(radius_meters + _SQUARE_METERS) // 1000)
        radius = min(reach, _MOST_RADIUS_METERS)
        key = f"kakao:{search.keyword}:{square.latitude}:{square.longitude}:{radius}"
        content = await self._cache.get(key)
        if content is None:
            content = await self._ask(search, square, radius)
            if content is None:
                return ()
            await self._cache.put(key, content)
        return list(_places(content, search))

    async def _ask(self, search: Search, square: Square, radius: int) -> bytes | None:
        """The response's body, checked; None if there is none."""
        if self._breaker.open_for() or not await self._quota.take():
            return None
        here = {"x": square.longitude, "y": square.latitude, "radius": radius}
        asked: dict[str, str | float] = {"query": search.keyword, "sort": "distance", "size": _PAGE, **here}
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.get(PATH, params=asked)
            response.raise_for_status()
            list(_places(response.content, search))
        except (httpx2.HTTPError, TimeoutError, msgspec.DecodeError, ValueError) as error:
            self._breaker.failed()
            # Neither the address, which holds a location, nor the key.
            _log.warning("kakao local failed", keyword=search.keyword, error=_short(error))
            return None
        self._breaker.succeeded()
        return response.content


def load_searches() -> list[Search]:
    """What Kakao is asked for, from `data/places/kakao.yaml`.

    Raises:
        msgspec.ValidationError: The file doesn't have the right shape.
    """
    text = (files("rules_svc") / "data" / "places" / "kakao.yaml").read_text("utf-8")
    return msgspec.convert(yaml.safe_load(text), list[Search])


def _places(content: bytes, search: Search) -> Iterable[Place]:
    """The hits as places.

    Raises:
        ValueError: It isn't the documented format.
    """
    for hit in msgspec.json.decode(content, type=Hits).documents:
        address = hit.road_address_name or hit.address_name
        yield Place(
            place_id=f"{SOURCE}:{hit.id}",
            kind=search.kind,
            name=Text(hit.place_name, hit.place_name),
            address=Text(address, address),
            location=Location(float(hit.y), float(hit.x)),
            materials=search.materials,
            opening_hours=Text("", ""),
            is_sample=False,
            source=SOURCE,
            phone=hit.phone,
            page=hit.place_url.replace("http://", "https://", 1),
        )


def _short(error: Exception) -> str:
    if isinstance(error, httpx2.HTTPStatusError):
        return f"status {error.response.status_code}"
    return type(error).__name__
