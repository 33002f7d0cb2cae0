"""A past scan once more through the whole mesh, asked for at the operators' edge."""

from collections.abc import Mapping
from datetime import UTC, datetime

import httpx2

from tests.e2e.conftest import Json, Phone
from tests.support.http import http_client
from tests.support.waiting import eventually

_SERVICE = "/eco2.jobs.v1.ComparisonService/"
_ENDED = {"STATE_SUCCEEDED", "STATE_FAILED", "STATE_CANCELLED"}


async def test_an_operator_has_a_scan_looked_at_again(
    stack: Mapping[str, str], phone: Phone, note_photo: bytes
) -> None:
    """By the model that looked before, at the copy that storage has: the same, at no cost; its user's scan stays so."""
    since = datetime.now(UTC)
    scan_id = await phone.started(note_photo)
    scan = await phone.rewarded(scan_id)
    headers = {"Authorization": f"Bearer {stack['ECO2_OPERATOR_TOKEN']}"}
    async with http_client(base_url=stack["ECO2_OPERATORS_URL"], headers=headers, timeout=20) as operators:
        choices = await _ask(operators, "ListComparisonChoices", {})
        assert "offline" in choices["classifiers"]
        spec = {"classifier": "offline", "from_time": since.isoformat(), "scan_count": 5}
        begun = await _ask(operators, "CreateComparison", {"comparison": spec})
        of_it = {"comparison_id": begun["comparison"]["job_id"]}

        async def over() -> bool:
            return (await _ask(operators, "GetComparison", of_it))["comparison"]["state"] in _ENDED

        await eventually(over)
        done = await _ask(operators, "GetComparison", of_it)
        looked_at = (await _ask(operators, "ListComparedScans", of_it))["scans"]
        await _ask(operators, "DeleteComparison", of_it)
    assert done["comparison"]["state"] == "STATE_SUCCEEDED", done
    (mine,) = [one for one in looked_at if one["scan_id"] == scan_id]
    category = scan["classification"]["category"]
    assert mine["before"]["category"] == "/".join(filter(None, category.values())) == mine["after"]["category"]
    assert mine["before"]["rule_ids"] == mine["after"]["rule_ids"] == [rule["rule_id"] for rule in scan["rules"]]
    assert "differs" not in mine
    assert done["report"]["same_category"] == done["report"]["compared"]
    assert "mean_cost_micro_usd" not in done["report"]["after"]
    assert (await phone.call("GET", f"/v1/scans/{scan_id}")).json() == scan


async def _ask(operators: httpx2.AsyncClient, rpc: str, request: Json) -> Json:
    response = await operators.post(_SERVICE + rpc, json=request)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer
