"""Settings of the Rules service."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from mesh.models.settings import ModelSettings
from mesh.settings import ReplicaSettings
from rules_svc.answers.composer import PROVIDER

DEFAULT_MODEL = "gpt-4.1-mini"


class RulesSettings(ModelSettings, ReplicaSettings):
    """Settings of the Rules service, from `ECO2_<FIELD>`."""

    database_connections: int = Field(4, ge=1, description="Connections to PostgreSQL at most.")
    rulebook_dir: Path | None = Field(
        None,
        description="Folder of the rule book, as rules_svc/data, watched for changes; default: the packaged one.",
    )
    rulebook_seconds: float = Field(5.0, gt=0, description="How often that folder is checked for changes.")
    rulebook_candidate_dir: Path | None = Field(
        None, description="Folder of a second rule book, for operators' comparisons alone; watched as the first is."
    )
    kakao_rest_key: SecretStr | None = Field(None, description="Key of Kakao Local, a second source of places.")
    kakao_url: str = Field("https://dapi.kakao.com", description="Where Kakao Local is.")
    kakao_daily_calls: int = Field(50_000, ge=0, description="Calls to Kakao Local a day, of all replicas with Redis.")
    kakao_seconds: float = Field(1.0, gt=0, description="How long a call to Kakao Local may take.")
    kakao_cache_seconds: int = Field(600, ge=1, description="How long an answer of Kakao Local is kept.")
    sample_places: bool = Field(True, description="Whether the invented sample places are kept; false removes them.")
    answer_chain: str = Field(
        "",
        description="Hosted models that write answers, in order, by commas; the composer comes last by itself. "
        "`composed` asks none. Default: gpt-4.1-mini with a key, none without.",
    )

    @property
    def writers(self) -> tuple[str, ...]:
        """Hosted models that write answers, in order."""
        default = DEFAULT_MODEL if self.openai_api_key.get_secret_value() else ""
        names = (name.strip() for name in (self.answer_chain or default).split(","))
        return tuple(name for name in names if name and name != PROVIDER)

    @model_validator(mode="after")
    def _writers_can_be_asked(self) -> Self:
        if self.writers and not self.openai_api_key.get_secret_value():
            raise ValueError("a hosted model is to write answers: set OPENAI_API_KEY")
        return self
