"""Settings of the Character service."""

from pydantic import Field

from mesh.settings import PostgresUrl, ServiceSettings


class CharacterSettings(ServiceSettings):
    """Settings of the Character service, from `ECO2_<FIELD>`."""

    database_url: PostgresUrl = Field(description="PostgreSQL, as postgresql://user:password@host:port/database.")
    database_connections: int = Field(4, ge=1, description="Connections to PostgreSQL at most.")
