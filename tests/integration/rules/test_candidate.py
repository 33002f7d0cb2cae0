"""Two rule books in one service: users are answered from the current one, comparisons from whichever they name."""

import shutil
from pathlib import Path
from typing import Any

import grpc
import pytest

from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceStub
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from rules_svc.app import application
from rules_svc.loading.candidate import CANDIDATE, CURRENT, CandidateRulebook
from rules_svc.loading.loader import DATA
from rules_svc.settings import RulesSettings
from tests.support.waiting import eventually

_PAPER: dict[str, Any] = {"major": "재활용폐기물", "middle": "종이"}
_BIN, _OTHER_BIN = "{ko: 종이 수거함, en: the paper bin}", "{ko: 파란 수거함, en: the blue bin}"


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """The rule book as it ships but for the bin for paper; without districts and outlines it loads faster."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        kept = {"regions": {"00_nation.yaml", "gazetteer.csv", "former.csv"}, "items": {"05_film.yaml"}}
        return set(names) - kept.get(Path(folder).name, {*names})

    folder = tmp_path / "candidate"
    shutil.copytree(str(DATA), folder, ignore=left_out)
    (folder / "regions" / "boundaries.json").write_text("{}", "utf-8")
    paper = folder / "rules" / "01_paper.yaml"
    text = paper.read_text("utf-8")
    assert _BIN in text
    paper.write_text(text.replace(_BIN, _OTHER_BIN, 1), "utf-8")
    return folder


def _request(version: str) -> pb.ReadviseDisposalRequest:
    return pb.ReadviseDisposalRequest(
        advise={"classification": {"category": _PAPER, "display_name": "종이"}}, rulebook_version=version
    )


async def test_a_comparison_is_answered_from_the_rule_book_it_names(candidate: Path) -> None:
    """Users go on with the current one, and what is kept of their requests isn't mixed up with the other's."""
    settings = RulesSettings(
        database_url="postgresql://nobody:nothing@127.0.0.1:1/none",
        sample_places=False,
        drain_seconds=0,
        rulebook_candidate_dir=candidate,
        rulebook_seconds=0.05,
    )
    async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub: Any = RulesServiceStub(channel)

        async def both() -> bool:
            return len((await stub.ListRulebooks(pb.ListRulebooksRequest(), timeout=60)).rulebooks) == 2

        await eventually(both)
        listed = (await stub.ListRulebooks(pb.ListRulebooksRequest(), timeout=60)).rulebooks
        versions = {one.name: one.version for one in listed}
        told = {name: await stub.ReadviseDisposal(_request(version), timeout=60) for name, version in versions.items()}
        users = await stub.MatchRules(pb.MatchRulesRequest(category=_PAPER), timeout=60)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ReadviseDisposal(_request("0" * 12), timeout=60)
    assert list(versions) == [CURRENT, CANDIDATE]
    assert {name: one.matched.rules[0].container for name, one in told.items()} == {
        CURRENT: "종이 수거함", CANDIDATE: "파란 수거함"
    }  # fmt: skip
    assert "파란 수거함" in told[CANDIDATE].answer.text
    assert "파란 수거함" not in told[CURRENT].answer.text
    assert (users.rules[0].container, users.rulebook_version) == ("종이 수거함", versions[CURRENT])
    assert from_rpc_error(caught.value, "rules").reason is Reason.RULEBOOK_UNKNOWN


async def test_a_broken_candidate_is_none_until_it_is_mended(candidate: Path) -> None:
    """It must never keep a service from starting that answers users; nobody restarts anything for it."""
    paper = candidate / "rules" / "01_paper.yaml"
    good = paper.read_text("utf-8")
    paper.write_text(good.replace("재활용폐기물/종이", "재활용폐기물/석재", 1), "utf-8")
    book = CandidateRulebook(candidate)
    await book.look()
    assert book.current is None
    paper.write_text(good, "utf-8")
    await book.look()
    assert book.current is not None
