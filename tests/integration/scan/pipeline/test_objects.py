"""Several things in one photo, from Vision to the history."""

import pytest

from eco2.scan.v1.scan_service_pb2 import ListScansRequest
from mesh.errors import DeadlineExceeded
from mesh.reasons import Reason
from tests.integration.scan.client import Client
from tests.support.scan.peer_servicers import METAL, Peers


@pytest.mark.parametrize("failures", [0, 1], ids=["with the answer", "before it"])
async def test_each_thing_in_a_photo_has_its_rule(client: Client, peers: Peers, failures: int) -> None:
    """One call matches them all, and readers and history keep them apart from the photo's own."""
    outcomes = [DeadlineExceeded(Reason.DEADLINE_EXCEEDED, stage="rules")] * failures

    async def at_first() -> None:
        if outcomes:
            raise outcomes.pop()

    peers.before["MatchRules"] = at_first
    box = {"left": 0.0, "top": 0.1, "right": 0.5, "bottom": 1.0}
    peers.found.objects.add(object_id="1", category=METAL, box=box)
    peers.found.objects.add(object_id="2", category={"major": "재활용폐기물", "middle": "유리병"}, tags=["깨짐"])
    scan = await client.finished(await client.started())
    assert [one.object_id for one in scan.classification.objects] == ["1", "2"]
    assert (scan.classification.objects[0].box.bottom, scan.classification.objects[1].HasField("box")) == (1.0, False)
    assert [(rule.object_id, rule.rule_id) for rule in scan.object_rules] == [("1", "own"), ("2", "own")]
    assert [rule.rule_id for rule in scan.rules] == ["metal"]
    assert peers.calls["MatchRules"] == 1 + failures
    listed = (await client.stub.ListScans(ListScansRequest(), metadata=client.metadata)).scans[0]
    assert (listed.object_rules, listed.rules) == (scan.object_rules, scan.rules)
    if failures:
        assert [rule.object_id for rule in peers.composed.object_rules] == ["1", "2"]
        assert [rule.object_id for rule in peers.composed.rules] == [""]
