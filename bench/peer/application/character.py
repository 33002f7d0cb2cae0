"""Character: a gRPC service that grants a reward once for a scan, and keeps it."""

from typing import Any

import asyncpg
import grpc
import uvloop
from character_pb2 import EvaluateReply, EvaluateRequest
from character_pb2_grpc import CharacterServicer, add_CharacterServicer_to_server

from bench.peer.application import config

_CONNECTIONS = 4
_CHARACTERS = {
    "플라스틱": ("페티", "라벨까지 떼다니 최고야!"),
    "종이": ("페이피", "차곡차곡 고마워!"),
    "금속류": ("메탈리", "꾹 눌러 줘서 고마워!"),
    "유리": ("글래시", "조심히 담아줘서 고마워!"),
}
_GRANT = """
WITH granted AS (INSERT INTO owned (user_id, character) VALUES ($2, $3) ON CONFLICT DO NOTHING)
INSERT INTO rewards (job_id, user_id, character) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""


class Character(CharacterServicer):
    """The service.

    Args:
        pool: PostgreSQL.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def Evaluate(self, request: EvaluateRequest, context: Any) -> EvaluateReply:  # noqa: N802 (gRPC's name)
        """Which character a scan earned."""
        found = _CHARACTERS.get(request.middle_category) if request.disposal_rules_present else None
        if not found:
            return EvaluateReply(matched=False)
        name, dialog = found
        await self._pool.execute(_GRANT, request.job_id, request.user_id, name)
        reason = f"{request.middle_category} 분리배출"
        return EvaluateReply(matched=True, character_name=name, dialog=dialog, match_reason=reason)


async def main() -> None:
    """Serves until it is ended."""
    pool = await asyncpg.create_pool(config.POSTGRES_URL, min_size=1, max_size=_CONNECTIONS)
    server = grpc.aio.server()
    add_CharacterServicer_to_server(Character(pool), server)
    server.add_insecure_port(config.CHARACTER_ADDRESS)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(main())
