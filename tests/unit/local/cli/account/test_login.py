"""What signing in says on standard error."""

from tests.support.cli.command import Run
from tests.support.cli.replies import Scans


def test_a_token_that_goes_before_the_session_is_told(eco2: Run, scans: Scans) -> None:
    """Else whoever has just signed in wonders whose scans they see. The fixture's user has ECO2_TOKEN set."""
    assert "ECO2_TOKEN" in eco2("login", "--guest").err
    assert eco2("login", "--guest", ECO2_TOKEN="").err == ""
    assert eco2("login", "--guest", "--json", ECO2_TOKEN="t").documents[0]["hidden_by_token"] is True
