"""A reply to an open question, through every layer."""

from tests.e2e.conftest import Phone


async def test_a_reply_over_rest_sharpens_the_answer_and_earns_the_character(phone: Phone, note_photo: bytes) -> None:
    """Who asks for the day is asked where they live; then they know the day, and nothing is open any more."""
    scan = await phone.rewarded(await phone.started(note_photo, user_input="언제 내놓아요?"))
    assert len(scan["answer"]["insufficiencies"]) == 1
    assert scan["reward"]["outcome"] == "OUTCOME_INSUFFICIENT"
    path = f"/v1/scans/{scan['scan_id']}:answer"
    unclear = (await phone.call("POST", path, {"reply": "글쎄요"})).json()
    assert (unclear["understood"], unclear["scan"]["version"]) == (False, scan["version"])
    assert unclear["message"]
    replied = (await phone.call("POST", path, {"reply": "마포구에 살아요", "request_id": "r1"})).json()
    updated = replied["scan"]
    assert replied["understood"]
    assert updated["region"] == "서울특별시/마포구"
    assert "일·월·화·목요일" in updated["answer"]["when"]
    assert "insufficiencies" not in updated["answer"] or not updated["answer"]["insufficiencies"]
    assert updated["reward"]["character"]["character_id"] == "papey"
    assert (await phone.call("POST", path, {"reply": "마포구에 살아요", "request_id": "r1"})).json() == replied
    assert (await phone.call("GET", f"/v1/scans/{scan['scan_id']}")).json() == updated
    collection = (await phone.call("GET", "/v1/me/characters")).json()
    assert [entry["character"]["character_id"] for entry in collection["characters"]] == ["papey"]
    again = (await phone.call("POST", path, {"reply": "아니요, 건전지예요"})).json()
    assert again["scan"]["classification"]["category"]["middle"] == "전지"
    assert again["scan"]["version"] > updated["version"]


async def test_words_at_creation_and_a_correction_steer_a_scan(phone: Phone, note_photo: bytes) -> None:
    """The photo is surely of paper: what contradicts it is asked about, and the reply decides; accuracy is public."""
    scan = await phone.rewarded(await phone.started(note_photo, user_input="부푼 보조배터리예요"))
    said = scan["classification"]["said"]
    assert said["category"]["middle"] == "전지"
    assert said["display_name"] in scan["answer"]["choices"]
    path = f"/v1/scans/{scan['scan_id']}:answer"
    replied = (await phone.call("POST", path, {"reply": said["display_name"], "may_learn": True})).json()["scan"]
    assert replied["classification"]["category"] == said["category"]
    assert replied["classification"]["seen"]["category"]["middle"] == "종이"
    assert replied["answer"]["text"] != scan["answer"]["text"]
    assert (await phone.call("GET", "/v1/accuracy")).status_code == 200
