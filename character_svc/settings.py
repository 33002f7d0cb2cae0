"""Settings of the Character service."""

from pydantic import Field

from mesh.settings import DatabaseSettings


class CharacterSettings(DatabaseSettings):
    """Settings of the Character service, from `ECO2_<FIELD>`."""

    database_connections: int = Field(4, ge=1, description="Connections to PostgreSQL at most.")
