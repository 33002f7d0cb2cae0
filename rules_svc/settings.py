"""What the Rules service can be told."""

from pydantic import Field, SecretStr

from mesh.settings import ServiceSettings


class RulesSettings(ServiceSettings):
    """Settings of the Rules service, from `ECO2_<FIELD>`."""

    database_url: SecretStr = Field(description="PostgreSQL, as postgresql://user:password@host:port/database.")
    database_connections: int = Field(4, ge=1, description="Connections to PostgreSQL at most.")
    sample_places: bool = Field(True, description="Whether the invented sample places are kept; false removes them.")
