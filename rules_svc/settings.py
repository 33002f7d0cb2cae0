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
    sample_places: bool = Field(True, description="Whether the invented sample places are kept; false removes them.")
