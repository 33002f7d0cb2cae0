"""A mobile app from before ScanService: plain HTTP, polling, and another try when nobody answers."""

import asyncio
from typing import Any

import httpx2

Json = dict[str, Any]

_PAUSE_SECONDS = 0.2
_ENDED = ("completed", "failed")


class MobileApp:
    """One user's app.

    Args:
        http: Without cookies or defaults.
        address: Of the API.
        authorization: The header that says whose app it is.
    """

    def __init__(self, http: httpx2.AsyncClient, address: str, authorization: str) -> None:
        self._http = http
        self._address = address
        self._headers = {"Authorization": authorization}

    async def scan(self, photo: bytes) -> Json:
        """From analyze to result; a job that has failed brings its last status.

        Args:
            photo: A JPEG.
        """
        job = await self._call("POST", "/api/v1/waste/analyze")
        await self._upload(job["upload_url"], photo)
        await self._call("POST", f"/api/v1/waste/upload-complete/{job['job_id']}", {})
        status: Json = {"status": "processing"}
        while status["status"] not in _ENDED:
            await asyncio.sleep(_PAUSE_SECONDS)
            status = await self._call("GET", f"/api/v1/waste/status/{job['job_id']}")
        if status["status"] == "failed":
            return status
        return await self._call("GET", f"/api/v1/waste/result/{job['job_id']}")

    async def _upload(self, url: str, photo: bytes) -> None:
        reply = await self._sent("PUT", url, {"Content-Type": "image/jpeg"}, photo)
        reply.raise_for_status()

    async def _call(self, verb: str, path: str, body: Json | None = None) -> Json:
        content = b"{}" if body is not None else b""
        reply = await self._sent(verb, self._address + path, self._headers, content)
        reply.raise_for_status()
        told: Json = reply.json()
        return told

    async def _sent(self, verb: str, url: str, headers: dict[str, str], content: bytes) -> httpx2.Response:
        """The reply, after as many tries as it takes until a server is there."""
        while True:
            try:
                reply = await self._http.request(verb, url, headers=headers, content=content)
            except httpx2.TransportError:
                pass
            else:
                if not reply.is_server_error:
                    return reply
            await asyncio.sleep(_PAUSE_SECONDS)
