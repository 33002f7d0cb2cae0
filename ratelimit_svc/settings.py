"""Settings of the rate-limit service."""

from typing import Annotated

from pydantic import AfterValidator, Field

from mesh.settings import RedisUrl, ServiceSettings
from ratelimit_svc.limits import Changes, load_limits


def _usable(changes: Changes) -> Changes:
    load_limits(changes)
    return changes


class RateLimitSettings(ServiceSettings):
    """Settings of the rate-limit service, from `ECO2_<FIELD>`."""

    redis_url: RedisUrl = Field(description="Redis, which counts the calls: redis://…")
    limits: Annotated[Changes, AfterValidator(_usable)] = Field(
        default_factory=dict,
        description='What is to differ from limits.yaml, as JSON: {"create": {"user": 100}}. The edge needs the same.',
    )
