"""How a service is told of a pooler before its database."""

import pytest
from pydantic import ValidationError

from mesh.settings import DatabaseSettings, ReplicaSettings

DATABASE, POOLER = "postgresql://eco2@db:5432/eco2", "postgresql://eco2@pooler:6432/eco2"


@pytest.mark.parametrize(
    ("given", "pooled", "direct"),
    [
        ({"database_url": DATABASE}, False, DATABASE),
        ({"database_url": DATABASE, "database_listen_url": ""}, False, DATABASE),
        ({"database_url": DATABASE, "database_listen_url": DATABASE}, False, DATABASE),
        ({"database_url": POOLER, "database_listen_url": DATABASE}, True, DATABASE),
    ],
    ids=["alone", "empty", "the same", "pooler"],
)
def test_a_pooler_is_where_the_database_has_another_address(given: dict[str, str], pooled: bool, direct: str) -> None:
    """One setting less than to be told so: who has a pooler has to say where to listen anyhow."""
    settings = DatabaseSettings(**given)
    assert settings.pooled is pooled
    assert settings.direct_url.get_secret_value() == direct


@pytest.mark.parametrize("name", ["database_url", "database_listen_url", "database_read_url"])
def test_an_address_of_something_else_is_refused(name: str) -> None:
    """By the variable's name, and without the password."""
    with pytest.raises(ValidationError, match="it begins with postgresql://") as refused:
        ReplicaSettings(**{"database_url": DATABASE, name: "redis://:pass-word@db"})
    (error,) = refused.value.errors(include_url=False, include_input=False)
    assert error["loc"] == (name,)
    assert "pass-word" not in str(error["msg"])
