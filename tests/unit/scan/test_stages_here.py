"""Which stages a worker does: what may be listed, and what that means."""

import pytest

from mesh.settings import load
from scan_svc.pipeline.stages_here import StagesHere
from scan_svc.settings import ScanSettings

_OTHERS = (
    "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY", "VISION_TARGET", "RULES_TARGET", "CHARACTER_TARGET",
)  # fmt: skip


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that Scan needs but for its stages."""
    for name in _OTHERS:
        monkeypatch.setenv(f"ECO2_{name}", "any")
    for name in ("S3_ENDPOINT", "CDN_BASE_URL"):
        monkeypatch.setenv(f"ECO2_{name}", "http://any.test")
    monkeypatch.setenv("ECO2_DATABASE_URL", "postgresql://any.test")
    monkeypatch.setenv("ECO2_REDIS_URL", "redis://any.test")


@pytest.mark.parametrize(
    ("listed", "stages"),
    [
        ("", ()),
        (" ", ()),
        ("vision", ("vision",)),
        ("rules, answer,places,reward", ("rules", "answer", "places", "reward")),
    ],
)
def test_stages_are_listed_by_commas(monkeypatch: pytest.MonkeyPatch, listed: str, stages: tuple[str, ...]) -> None:
    """As in a chart's values; nothing listed is all."""
    monkeypatch.setenv("ECO2_STAGES_HERE", listed)
    assert load(ScanSettings).stages_here == stages


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("visoin", "name 1 is no stage: they are vision, rules, answer, places, reward, listed by commas"),
        ("vision,,answer", "name 2 is no stage"),
        ('["vision"]', "name 1 is no stage"),
        ("vision,places", "places are looked for beside the answer: list answer, too"),
    ],
)
def test_what_is_no_stage_is_told_at_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], listed: str, told: str
) -> None:
    """A worker that claims nothing, since somebody mistyped, would be noticed by users."""
    monkeypatch.setenv("ECO2_STAGES_HERE", listed)
    with pytest.raises(SystemExit):
        load(ScanSettings)
    assert capsys.readouterr().err.startswith(f"ECO2_STAGES_HERE: {told}")


def test_without_a_list_everything_is_done_here() -> None:
    """And the claim is the one statement it always was."""
    here = StagesHere()
    assert (here.claimed, here.scans, here.does("answer"), here.does("reward")) == ((), True, True, True)


def test_a_worker_of_rewards_alone_claims_no_scans() -> None:
    """Rewards are jobs of a kind of their own."""
    here = StagesHere(("reward",))
    assert (here.scans, here.does("vision"), here.does("reward")) == (False, False, True)
