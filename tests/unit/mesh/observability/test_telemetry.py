"""What a service writes into its log."""

import logging
from typing import Literal

import pytest
import structlog

from mesh.observability import telemetry
from mesh.settings import ServiceSettings


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_tells_where_and_not_with_what(
    form: Literal["json", "console"], capsys: pytest.CaptureFixture[str]
) -> None:
    """The variables of its frames hold users' ids, places and words, and keys."""

    def broken(key: str) -> None:
        raise ValueError("it broke")

    root = logging.getLogger()
    with telemetry.started("test", ServiceSettings(log_format=form)):
        (handler,) = (each for each in root.handlers if type(each) is logging.StreamHandler)
        try:
            broken("sk-" + "s3cret")
        except ValueError as error:
            structlog.get_logger("test").error("broke", exc_info=error)
    root.removeHandler(handler)  # it writes into what this test captures
    logged = capsys.readouterr().out
    assert "it broke" in logged
    assert "broken" in logged
    assert "sk-s3cret" not in logged
