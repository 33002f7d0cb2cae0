"""Redis behind a breaker: a client that gives up quickly, since everything in Redis can be had elsewhere.

It may be one server, one that Sentinels name, or a cluster: `redis://`, `redis+sentinel://`, `redis+cluster://`.
"""

from mesh.redis.guarded import DOWN, GuardedRedis, Script, together
from mesh.redis.opening import open_redis
from mesh.redis.server import Word
from mesh.redis.subscription import Moving

__all__ = ["DOWN", "GuardedRedis", "Moving", "Script", "Word", "open_redis", "together"]
