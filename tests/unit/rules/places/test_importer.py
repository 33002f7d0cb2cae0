"""The import command as a person calls it who has something wrong."""

from pathlib import Path

import pytest

from rules_svc.places import import_cli

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one bin."""
    file = tmp_path / "bins.csv"
    file.write_text("설치장소,도로명주소,위도,경도\n역 앞,주소,37.55,126.92\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("url", "options", "status"),
    [
        (NOWHERE, (), 1),
        (NOWHERE, ("--report", "missing/report.jsonl"), 2),
        (NOWHERE, ("--report", "."), 2),
        (NOWHERE, ("--report", "bins.csv"), 2),
        ("garbage", (), 2),
        ("postgresql://nobody@127.0.0.1:port/nothing", (), 2),
        (None, (), 2),
    ],
    ids=["away", "report in no folder", "report is a folder", "report is the file", "no address", "no port", "not set"],
)
def test_what_went_wrong_is_told_in_a_line(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    url: str | None,
    options: tuple[str, ...],
    status: int,
) -> None:
    """1: try again later. 2: not as it was called; a Job that retries may stop."""
    content = file.read_bytes()
    monkeypatch.chdir(file.parent)
    monkeypatch.delenv("ECO2_DATABASE_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("ECO2_DATABASE_URL", url)
    monkeypatch.setattr("sys.argv", ["imports", str(file), "--mapping", "clothing_bins", *options])
    with pytest.raises(SystemExit) as ended:
        import_cli.main()
    assert ended.value.code == status
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert file.read_bytes() == content
