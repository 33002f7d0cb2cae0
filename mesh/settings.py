"""What every service can be told through its environment."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_CLOSING_SECONDS = 15.0


class ServiceSettings(BaseSettings):
    """Settings all services share; each adds its own. Read once at start, from `ECO2_<FIELD>`, and never changed.

    The prefix also keeps Kubernetes' own variables (`SCAN_PORT=tcp://…` for a Service called scan) out.
    """

    model_config = SettingsConfigDict(env_prefix="ECO2_", frozen=True, extra="ignore")

    listen: str = Field("127.0.0.1:0", description="Address to serve gRPC on; port 0 takes any free one.")
    grace_seconds: float = Field(10.0, ge=0, description="How long calls at work may finish after SIGTERM.")
    # The edge looks every five seconds, and sends calls until it has seen NOT_SERVING.
    drain_seconds: float = Field(6.0, ge=0, description="Pause between NOT_SERVING and refusing new calls.")
    call_limit: int = Field(2000, gt=0, description="Unary calls at work at once; more are refused.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line written."
    )
    log_format: Literal["json", "console"] = Field("json", description="Log lines for machines or for people.")

    @property
    def ending_seconds(self) -> float:
        """The longest that a service takes to end after SIGTERM.

        It drains; its calls have the grace, and so have their cleanups; then it closes what it holds. Scan's worker
        leaves meanwhile.
        """
        return self.drain_seconds + 2 * self.grace_seconds + _CLOSING_SECONDS
