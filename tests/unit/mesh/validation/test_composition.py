"""Texts are composed at the door, addresses and identities are kept."""

import time
import unicodedata

import pytest

from eco2.character.v1 import character_service_pb2
from eco2.rules.v1 import rules_service_pb2
from eco2.scan.v1 import scan_service_pb2
from eco2.vision.v1 import vision_service_pb2
from mesh.validation.composition import compose
from mesh.validation.normalization import composed
from mesh.validation.rules import admit

ID = "0197a000-0000-7000-8000-000000000000"


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def test_every_text_of_a_request_is_composed() -> None:
    """macOS and iOS send Korean in separate letters: the same word, and unequal."""
    scan = scan_service_pb2.CreateScanRequest(
        image_url="https://example.com/a.jpg",
        user_input=nfd("뚜껑은 어떻게 버려요?"),
        region=nfd("서울특별시/마포구"),
        request_id=nfd("요청-하나"),
    )
    admit(scan)
    assert scan.user_input == "뚜껑은 어떻게 버려요?"
    assert (scan.region, scan.request_id) == ("서울특별시/마포구", "요청-하나")


def test_texts_in_lists_and_messages_are_composed() -> None:
    """Tags, category names, materials."""
    rules = rules_service_pb2.MatchRulesRequest(category={"major": nfd("종이")}, tags=["a", nfd("내용물_있음")])
    admit(rules)
    assert (rules.category.major, list(rules.tags)) == ("종이", ["a", "내용물_있음"])


def test_a_text_is_measured_composed() -> None:
    """Five hundred syllables come as fifteen hundred letters from a Mac."""
    reply = scan_service_pb2.AnswerQuestionRequest(scan_id=ID, reply=nfd("각" * 500), request_id=nfd("값" * 100))
    admit(reply)
    assert reply.reply == "각" * 500


def test_addresses_are_kept_letter_by_letter() -> None:
    """A path in a bucket, and a signature over it, are bytes."""
    address = nfd("https://example.com/사진.jpg")
    request = vision_service_pb2.ClassifyRequest(object_key=nfd("photos/사진.jpg"))
    admit(request)
    assert request.object_key == nfd("photos/사진.jpg")
    scan = scan_service_pb2.CreateScanRequest(image_url=address, callback_url=address)
    compose(scan)
    assert (scan.image_url, scan.callback_url) == (address, address)


def test_an_identity_is_kept_letter_by_letter() -> None:
    """The header that names the same user is never composed."""
    reward = character_service_pb2.EvaluateRewardRequest(user_id=nfd("사용자"), scan_id=ID, category={"major": "종이"})
    admit(reward)
    assert reward.user_id == nfd("사용자")


@pytest.mark.parametrize("text", ["", "plain", "한글", "ㅍㅌㅂ", "é", "😀"])
def test_what_is_composed_stays(text: str) -> None:
    """Single consonants are what people search by."""
    assert composed(text) == text


def test_marks_without_end_are_left_alone() -> None:
    """Ordering 16,000 of them takes a third of a second."""
    text = "a" + "\u0301\u0316" * 8000
    began = time.thread_time()
    assert composed(text) == text
    assert time.thread_time() - began < 0.1
