"""What the Rules service can be told."""

from pathlib import Path

from pydantic import Field, SecretStr

from mesh.settings import ServiceSettings


class RulesSettings(ServiceSettings):
    """Settings of the Rules service, from `ECO2_<FIELD>`."""

    database_url: SecretStr = Field(description="PostgreSQL, as postgresql://user:password@host:port/database.")
    database_connections: int = Field(4, ge=1, description="Connections to PostgreSQL at most.")
    rulebook_dir: Path | None = Field(
        None, description="Folder of the rule book, shaped as rules_svc/data, followed while it runs; else the own one."
    )
    rulebook_seconds: float = Field(5.0, gt=0, description="How often that folder is looked at for changes.")
    kakao_rest_key: SecretStr | None = Field(None, description="Key of Kakao Local, a second source of places.")
    kakao_url: str = Field("https://dapi.kakao.com", description="Where Kakao Local is.")
    kakao_daily_calls: int = Field(50_000, ge=0, description="Calls to Kakao Local a day, of all replicas with Redis.")
    kakao_seconds: float = Field(1.0, gt=0, description="How long a call to Kakao Local may take.")
    kakao_cache_seconds: int = Field(600, ge=1, description="How long an answer of Kakao Local is kept.")
    redis_url: SecretStr | None = Field(None, description="Redis or Valkey, where replicas share Kakao's answers.")
    sample_places: bool = Field(True, description="Whether the invented sample places are kept; false removes them.")
