"""The API: create a scan, ask for it, watch it. Raw JSON, no models of the replies."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import asyncpg
import jwt
import orjson
from fastapi import FastAPI, Header, HTTPException, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from redis.asyncio import BlockingConnectionPool, Redis
from starlette.concurrency import run_in_threadpool

from bench.peer.application import config
from bench.peer.application.events import Events
from bench.peer.application.store import event
from bench.peer.application.tasks import start

_KEY = jwt.PyJWK(orjson.loads(config.JWKS)["keys"][0])
_HEARTBEAT_SECONDS = 15
_MOST_CONNECTIONS = 48  # beyond them the usual pool raises under 500 clients; this one waits

redis: Any = Redis(
    connection_pool=BlockingConnectionPool.from_url(config.REDIS_URL, max_connections=_MOST_CONNECTIONS, timeout=None)
)


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    app.state.postgres = await asyncpg.create_pool(config.POSTGRES_URL, min_size=1, max_size=8)
    app.state.events = Events(redis)
    reader = asyncio.create_task(app.state.events.run())
    yield
    reader.cancel()
    await app.state.postgres.close()


app = FastAPI(lifespan=_life, openapi_url=None)


class ScanRequest(BaseModel):
    """A photo in our storage, and what its user says."""

    image_url: str
    user_input: str | None = None


@app.get("/health")
async def health() -> Response:
    """Whether it serves."""
    return _json(b"{}")


@app.post("/api/v1/scan")
async def create(request: ScanRequest, authorization: str | None = Header(None)) -> Response:
    """Known and owned before it is queued; so many a minute for each user."""
    task_id, user_id = str(uuid.uuid4()), _user_of(authorization)
    minute = f"rate:{user_id}:{int(time.time()) // 60}"
    count, _ = await redis.pipeline(transaction=False).incr(minute).expire(minute, 60).execute()
    if count > config.RATE:
        raise HTTPException(429, "Too many scans")
    await app.state.postgres.execute(
        "INSERT INTO scans (job_id, user_id, image_url, user_input) VALUES ($1, $2, $3, $4)",
        task_id,
        user_id,
        request.image_url,
        request.user_input,
    )
    await redis.setex(config.progress_key(task_id), config.PROGRESS_SECONDS, event({"task_id": task_id}, "queued"))
    await run_in_threadpool(start, task_id, request.image_url, request.user_input, user_id)
    return _json(orjson.dumps({"task_id": task_id, "status": "processing"}))


@app.get("/api/v1/waste/status/{job_id}")
async def status(job_id: str, authorization: str | None = Header(None)) -> Response:
    """How far a scan is; with its result when it is done."""
    _user_of(authorization)
    progress, result = await redis.mget(config.progress_key(job_id), config.result_key(job_id))
    if progress is None:
        raise HTTPException(404, "Job not found")
    if result is None:
        return _json(progress)
    return _json(orjson.dumps({**orjson.loads(progress), "result": orjson.Fragment(result)}))


@app.get("/api/v1/scan/{task_id}/progress")
async def watch(task_id: str, authorization: str | None = Header(None)) -> StreamingResponse:
    """Server-Sent Events until the scan is over."""
    _user_of(authorization)
    return StreamingResponse(_changes(task_id), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


async def _changes(task_id: str) -> AsyncIterator[bytes]:
    name, events = config.channel(task_id), app.state.events
    queue = await events.join(name)
    try:
        data = await redis.get(config.progress_key(task_id))
        while True:
            if data is not None:
                yield b"data: " + data + b"\n\n"
                if not 0 <= orjson.loads(data)["progress"] < 100:
                    return
            try:
                data = await asyncio.wait_for(queue.get(), _HEARTBEAT_SECONDS)
            except TimeoutError:
                data = None
                yield b": ping\n\n"
    finally:
        await events.leave(name, queue)


def _json(data: bytes) -> Response:
    return Response(data, media_type="application/json")


@lru_cache(1000)  # a signature is checked once; times always
def _claims(token: str) -> Mapping[str, Any]:
    return jwt.decode(token, _KEY, algorithms=["ES256"], audience="eco2", options={"verify_exp": False})


def _user_of(authorization: str | None) -> str:
    """Who asks; 401 without a valid token."""
    try:
        claims = _claims((authorization or "").removeprefix("Bearer "))
    except jwt.PyJWTError as error:
        raise HTTPException(401, "Sign in first") from error
    if claims["exp"] < time.time():
        raise HTTPException(401, "Sign in again")
    return str(claims["sub"])
