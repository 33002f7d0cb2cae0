"""That the search of the logs bites."""

from pathlib import Path

import pytest

from tests.support.log_scan import faults


@pytest.mark.parametrize(
    "line",
    [
        "GET http://s3/eco2/photo?X-Amz-Signature=0123456789abcdef",
        "authorization: Bearer abcdefghijklmnop",
        "token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJuZXdjb21lciJ9.c2lnbmF0dXJl",
        "-----BEGIN EC PRIVATE KEY-----",
        "secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "key sk-canary-of-the-model",
        "the very word: canary-of-this-run",
    ],
)
def test_a_line_with_a_secret_is_found(tmp_path: Path, line: str) -> None:
    """By what it looks like, or by its value; and what is found isn't told again."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "scan.log").write_text(f"all is well\n{line}\n", encoding="utf-8")
    (found,) = set(faults(tmp_path, ["canary-of-this-run"]))
    assert found.startswith("scan.log:2: ")
    assert line not in found


def test_what_logs_hold_is_no_fault(tmp_path: Path) -> None:
    """Ids of scans, traces and requests, pseudonyms, addresses without a query."""
    (tmp_path / "log").mkdir()
    line = '{"user": "u-e9050904e92ebc11", "trace_id": "dcea9911efa149647a069001f9c0e1df", "path": "/v1/scans/0197"}'
    (tmp_path / "log" / "scan.log").write_text(line, encoding="utf-8")
    assert list(faults(tmp_path, ["canary-of-this-run"])) == []
