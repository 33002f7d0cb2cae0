"""A server that answers like Kakao Local's keyword search, in the wire format of its documentation.

Source: https://developers.kakao.com/docs/latest/en/local/dev-guide, "Search place by keyword". Its data
comes from the test that starts it.
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

_METERS_A_DEGREE = 111_195
_MOST_RADIUS = 20_000
_MOST_SIZE = 15


@dataclass(frozen=True, slots=True)
class Shop:
    """One place on Kakao's map."""

    id: str
    name: str
    latitude: float
    longitude: float
    address: str = ""
    road_address: str = ""
    phone: str = ""


@dataclass(slots=True)
class KakaoStandIn:
    """Answers keyword searches. Start it with `running`.

    Attributes:
        shops: What is found, by keyword.
        requests: What was asked, latest last.
        key: The REST API key it accepts.
        status: HTTP status of its responses; 200 for results.
        body: Sent instead of a result, if set.
        wait_for: If set, responses wait for it.
        base_url: What to set as ECO2_KAKAO_URL.
    """

    shops: dict[str, list[Shop]] = field(default_factory=dict)
    requests: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=1000))
    key: str = "test-key"
    status: int = 200
    body: bytes | None = None
    wait_for: asyncio.Event | None = None
    base_url: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["KakaoStandIn"]:
        """Serves on a free port until the block is left."""
        app = web.Application()
        app.router.add_get("/v2/local/search/keyword.{format}", self._search)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _search(self, http: web.Request) -> web.Response:
        asked = dict(http.query)
        self.requests.append(asked)
        if self.wait_for is not None:
            await self.wait_for.wait()
        if http.headers.get("Authorization") != f"KakaoAK {self.key}":
            return _refusal(401, "AccessDeniedError", "wrong appKey format")
        if self.status == 429:
            return _refusal(429, "RequestThrottled", "API limit has been exceeded.")
        if self.status != 200:
            return web.Response(status=self.status, text="upstream error")
        if self.body is not None:
            return web.Response(body=self.body, content_type="application/json")
        radius, size = int(asked.get("radius", _MOST_RADIUS)), int(asked.get("size", _MOST_SIZE))
        if not asked.get("query") or not 0 <= radius <= _MOST_RADIUS or not 1 <= size <= _MOST_SIZE:
            return _refusal(400, "InvalidArgument", "query, radius or size is out of range")
        x, y = float(asked["x"]), float(asked["y"])
        found = [(_meters(shop, x, y), shop) for shop in self.shops.get(asked["query"], [])]
        near = sorted((pair for pair in found if pair[0] <= radius), key=lambda pair: pair[0])
        return web.json_response(_response(asked["query"], near, size))


def _response(keyword: str, near: Sequence[tuple[float, Shop]], size: int) -> dict[str, object]:
    return {
        "documents": [_document(meters, shop) for meters, shop in near[:size]],
        "meta": {
            "is_end": len(near) <= size,
            "pageable_count": min(len(near), 45),
            "same_name": {"keyword": keyword, "region": [], "selected_region": ""},
            "total_count": len(near),
        },
    }


def _document(meters: float, shop: Shop) -> dict[str, str]:
    """Every value is a string, the numbers too."""
    return {
        "address_name": shop.address,
        "category_group_code": "",
        "category_group_name": "",
        "category_name": "가정,생활 > 생활용품점",
        "distance": str(round(meters)),
        "id": shop.id,
        "phone": shop.phone,
        "place_name": shop.name,
        "place_url": f"http://place.map.kakao.com/{shop.id}",
        "road_address_name": shop.road_address,
        "x": str(shop.longitude),
        "y": str(shop.latitude),
    }


def _meters(shop: Shop, x: float, y: float) -> float:
    east = (shop.longitude - x) * math.cos(math.radians(y))
    return math.hypot(east, shop.latitude - y) * _METERS_A_DEGREE


def _refusal(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"errorType": kind, "message": message}, status=status)
