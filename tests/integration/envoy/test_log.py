"""What services log of what clients send."""

import io
import json
import logging
from collections.abc import Iterator

import httpx2
import pytest

from mesh.observability import telemetry
from mesh.settings import ServiceSettings
from tests.support.edge.fake_mesh import FakeMesh

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_UTF_8 = b"\xff\xfe"


@pytest.fixture
def printed() -> Iterator[io.StringIO]:
    """What libraries make a service print; afterwards logging is as in tests."""
    root, printed = logging.getLogger(), io.StringIO()
    with telemetry.started("test", ServiceSettings()):
        (handler,) = (each for each in root.handlers if type(each) is logging.StreamHandler)
        handler.setStream(printed)
        yield printed
    root.removeHandler(handler)


@pytest.mark.parametrize("header", ["x-a", "accept-language", "last-event-id", "if-none-match"])
async def test_a_header_that_is_not_utf_8_leaves_no_traceback(
    header: str, mesh: FakeMesh, rest: httpx2.AsyncClient, printed: io.StringIO
) -> None:
    """Anybody may send one, with every request."""
    response = await rest.get("/v1/scans", headers={header: NOT_UTF_8})

    assert response.status_code == 200
    assert printed.getvalue() == ""


async def test_what_libraries_log_has_the_form_of_every_line(printed: io.StringIO) -> None:
    """A collector that reads JSON would make a message of each line of a traceback."""
    try:
        raise ValueError("secret\nof two lines")
    except ValueError:
        logging.getLogger("library").exception("It broke: %s", "badly")

    (line,) = printed.getvalue().splitlines()
    logged = json.loads(line)
    assert (logged["event"], logged["logger"], logged["level"]) == ("It broke: badly", "library", "error")
    assert logged["service"] == "test"
    assert logged["exception"]
