"""Settings of a service that calls hosted models."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from mesh.settings import RedisUrl, ServiceSettings

if TYPE_CHECKING:  # at run time only where a model is called: the SDK takes 40 MiB
    from mesh.models.client import ModelTimeouts
    from mesh.models.ledger import Limits

_MICRO = 1_000_000


class ModelSettings(ServiceSettings):
    """Settings of hosted models. Without a key none is called."""

    model_config = SettingsConfigDict(populate_by_name=True)

    openai_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("OPENAI_API_KEY", "ECO2_OPENAI_API_KEY"),
        description="Key of OpenAI or a compatible provider. Empty: no hosted model is called.",
    )
    openai_base_url: str = Field("https://api.openai.com/v1", description="Where the provider is.")
    redis_url: RedisUrl | None = Field(
        None, description="Redis or Valkey, where replicas share limits and answers; without it each has its own."
    )
    model_prices: Path | None = Field(None, description="A price table of one's own, shaped like models.yaml.")
    model_requests_per_minute: int = Field(5000, ge=1, description="Calls of one model a minute.")
    model_tokens_per_minute: int = Field(2_000_000, ge=1, description="Tokens of one model a minute.")
    model_daily_usd: float = Field(0.0, ge=0, description="Money for models in a day of UTC; 0 for no limit.")
    model_user_daily_usd: float = Field(0.0, ge=0, description="Of that, one user's share; 0 for no limit.")
    model_first_byte_seconds: float = Field(30.0, gt=0, description="How long a model may take to begin its answer.")
    model_stall_seconds: float = Field(10.0, gt=0, description="How long a stream may be silent.")
    model_attempts: int = Field(3, ge=1, description="Tries of one call, within the caller's deadline.")

    def limits(self) -> "Limits":
        """How much may be used."""
        from mesh.models.ledger import Limits

        return Limits(
            self.model_requests_per_minute,
            self.model_tokens_per_minute,
            round(self.model_daily_usd * _MICRO),
            round(self.model_user_daily_usd * _MICRO),
        )

    def timeouts(self) -> "ModelTimeouts":
        """How long a model may take."""
        from mesh.models.client import ModelTimeouts

        return ModelTimeouts(self.model_first_byte_seconds, self.model_stall_seconds, self.model_attempts)
