"""What services log of what clients send."""

import json
import logging
from collections.abc import Iterator

import httpx2
import pytest

from mesh import telemetry
from mesh.settings import ServiceSettings
from tests.integration.envoy.fakes import FakeMesh

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_UTF_8 = b"\xff\xfe"


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """What is printed while logging is as in every service; afterwards it is as in tests."""
    root, level = logging.getLogger(), logging.getLogger().level
    with telemetry.started("test", ServiceSettings()):
        yield capsys
    root.setLevel(level)
    for handler in root.handlers:
        if type(handler) is logging.StreamHandler:  # pytest's own are of other types
            root.removeHandler(handler)


@pytest.mark.parametrize("header", ["x-a", "accept-language", "last-event-id", "if-none-match"])
async def test_a_header_that_is_not_utf_8_leaves_no_traceback(
    header: str, mesh: FakeMesh, rest: httpx2.AsyncClient, printed: pytest.CaptureFixture[str]
) -> None:
    """Anybody may send one, with every request."""
    response = await rest.get("/v1/scans", headers={header: NOT_UTF_8})

    assert response.status_code == 200
    assert printed.readouterr() == ("", "")


async def test_what_libraries_log_has_the_form_of_every_line(printed: pytest.CaptureFixture[str]) -> None:
    """A collector that reads JSON would make a message of each line of a traceback."""
    try:
        raise ValueError("secret\nof two lines")
    except ValueError:
        logging.getLogger("library").exception("It broke: %s", "badly")

    (line,) = printed.readouterr().err.splitlines()
    logged = json.loads(line)
    assert (logged["event"], logged["logger"], logged["level"]) == ("It broke: badly", "library", "error")
    assert logged["service"] == "test"
    assert logged["exception"]
