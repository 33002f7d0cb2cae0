"""The card that a person sees at the end."""

import io

import pytest
from rich.console import Console

from eco2.character.v1 import character_pb2
from eco2.rules.v1 import disposal_pb2
from eco2.scan.v1 import scan_pb2
from eco2.vision.v1 import classification_pb2
from local.cli.display import card
from local.cli.display.labels import LABELS
from local.cli.display.names import Names
from mesh.errors import InvalidArgument
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason

State = scan_pb2.Scan.State
METAL = classification_pb2.Category(major="재활용폐기물", middle="금속류", minor="캔")
GLASS = classification_pb2.Category(major="재활용폐기물", middle="유리병")


NAMES = Names(
    Locale.EN,
    {("재활용폐기물",): "Recyclables", ("재활용폐기물", "금속류"): "Metal"},
    {"내용물_있음": "something left in it"},
)


def printed(scan: scan_pb2.Scan, names: Names = NAMES) -> str:
    """The card as plain text, each word on one line."""
    output = io.StringIO()
    Console(file=output, width=110).print(card.render(scan, names=names))
    return output.getvalue()


def succeeded(**parts: object) -> scan_pb2.Scan:
    """A finished scan of a can."""
    seen = classification_pb2.Classification(
        category=METAL,
        display_name="Metal can",
        confidence=0.82,
        tags=["내용물_있음"],
        candidates=[
            classification_pb2.Candidate(category=METAL, display_name="Metal can", confidence=0.82),
            classification_pb2.Candidate(category=GLASS, display_name="Glass bottle", confidence=0.11),
        ],
    )
    return scan_pb2.Scan(state=State.STATE_SUCCEEDED, locale="en", classification=seen, **parts)


def test_it_says_what_it_is_and_how_sure() -> None:
    """The first thing a person wants to know; what it was taken for isn't repeated among the others."""
    text = printed(succeeded())
    assert "Recyclables › Metal" in text
    assert "Condition: something left in it" in text
    assert "82%" in text
    assert "Glass bottle 11%" in text
    assert "Metal can 82%" not in text


def test_it_tells_the_steps_of_the_most_specific_rule_in_order() -> None:
    """Wider rules repeat it."""
    can = disposal_pb2.DisposalRule(title="Cans", steps=["Empty it", "Rinse it"], why="It rusts", container="Can bin")
    wider = disposal_pb2.DisposalRule(title="Recyclables", steps=["Sort them"])
    text = printed(succeeded(rules=[can, wider]))
    assert text.index("1. Empty it") < text.index("2. Rinse it") < text.index("It rusts") < text.index("Can bin")
    assert "Sort them" not in text


def test_an_unsure_photo_shows_the_rule_of_each_candidate() -> None:
    """Behind the one for what isn't known; wider rules, which are nobody's own, aren't shown."""
    unknown = disposal_pb2.DisposalRule(title="Unknown", steps=["Ask"])
    can = disposal_pb2.DisposalRule(title="Cans", steps=["Empty it"], candidate=METAL)
    bottle = disposal_pb2.DisposalRule(title="Bottles", steps=["Rinse it"], candidate=GLASS)
    text = printed(succeeded(rules=[unknown, can, bottle, disposal_pb2.DisposalRule(title="Wide", steps=["Sort"])]))
    assert text.index("1. Ask") < text.index("1. Empty it") < text.index("1. Rinse it")
    assert "Sort" not in text


def test_what_the_user_said_isn_t_shown_with_the_confidence_of_what_was_seen() -> None:
    """That was in something else, which is told beside it."""
    scan = succeeded()
    scan.classification.seen.CopyFrom(classification_pb2.Sighting(display_name="Glass jar", confidence=0.61))
    text = printed(scan)
    assert "Glass jar 61%" in text
    assert "82%" not in text


def test_invented_places_are_marked() -> None:
    """Nobody may walk to a place that doesn't exist."""
    real = disposal_pb2.Place(name="Town hall", distance_meters=120, walking_minutes=2)
    sample = disposal_pb2.Place(name="Example spot", is_sample=True, distance_meters=80, walking_minutes=1)
    lines = printed(succeeded(places=[sample, real])).splitlines()
    marked = [line for line in lines if LABELS[Locale.EN].sample in line]
    assert len(marked) == 1
    assert "Example spot" in marked[0]


def test_a_character_that_was_earned_speaks() -> None:
    """It is the reward."""
    metally = character_pb2.Character(name="Metally", dialogue="Clink!")
    reward = character_pb2.Reward(outcome=character_pb2.Reward.OUTCOME_GRANTED, character=metally, message="Yours now")
    text = printed(succeeded(reward=reward))
    assert "★ Metally" in text
    assert "Clink!" in text


def test_a_reward_that_was_refused_says_why_and_shows_nobody() -> None:
    """Else the person believes it got lost."""
    reward = character_pb2.Reward(outcome=character_pb2.Reward.OUTCOME_NOT_RECYCLABLE, message="Only recyclables")
    text = printed(succeeded(reward=reward))
    assert "Only recyclables" in text
    assert "★" not in text


def test_nothing_is_announced_that_isn_t_there() -> None:
    """A heading without a body looks like a fault."""
    labels = LABELS[Locale.EN]
    text = printed(succeeded())
    assert not [title for title in (labels.places, labels.hazards, labels.answer, labels.character) if title in text]


@pytest.mark.parametrize("locale", list(Locale))
def test_a_failure_is_explained_in_the_scans_language(locale: Locale) -> None:
    """The reason is for searching, the text for reading."""
    error = InvalidArgument(Reason.PHOTO_EMPTY)
    text = printed(scan_pb2.Scan(state=State.STATE_FAILED, locale=locale, error=to_status(error, *Locale)))
    assert "PHOTO_EMPTY" in text
    assert error.text(locale) in text


@pytest.mark.parametrize(("state", "label"), [(State.STATE_CANCELLED, "cancelled"), (State.STATE_EXPIRED, "expired")])
def test_other_ends_are_named(state: scan_pb2.Scan.State.ValueType, label: str) -> None:
    """They are ends as well, and no failures."""
    assert getattr(LABELS[Locale.KO], label) in printed(scan_pb2.Scan(state=state, locale="ko"))


def test_markup_in_a_text_is_printed_as_it_is() -> None:
    """A model's answer may hold brackets; they are no orders to the terminal."""
    assert "[bold]raw[/]" in printed(succeeded(answer=disposal_pb2.Answer(text="[bold]raw[/]")))


def test_it_says_when_it_can_be_put_out() -> None:
    """As the rule book plans it now; nothing if nobody knows."""
    plan = disposal_pb2.EveningPlan(text="It can go out this evening, 20:00 to 05:00.")
    output = io.StringIO()
    Console(file=output, width=110).print(card.render(succeeded(), plan))
    assert "It can go out this evening, 20:00 to 05:00." in output.getvalue()
    assert LABELS[Locale.EN].evening not in printed(succeeded())


@pytest.mark.parametrize("locale", list(Locale))
def test_while_the_rule_book_cant_be_asked_korean_keys_are_shown_in_korean_alone(locale: Locale) -> None:
    """A card in two languages is in none."""
    scan = succeeded()
    scan.locale = locale
    text = printed(scan, Names(locale))
    assert ("재활용폐기물 › 금속류 › 캔" in text) is (locale is Locale.KO)
    assert ("내용물 있음" in text) is (locale is Locale.KO)


def test_what_can_be_replied_is_offered() -> None:
    """As buttons elsewhere."""
    answer = disposal_pb2.Answer(text="Rinse it.", insufficiencies=["Is it empty?"], choices=["Yes", "No"])
    text = printed(succeeded(answer=answer))
    assert "Is it empty?" in text
    assert "Yes / No" in text


def test_each_thing_is_told_with_where_it_goes() -> None:
    """And how to take it apart, unless the photo's own rule says so."""
    scan = succeeded()
    scan.classification.objects.add(object_id="1", category=METAL, display_name="Metal can")
    scan.classification.objects.add(object_id="2", category=GLASS, display_name="Jam jar")
    lid = disposal_pb2.TakeApartStep(part="Lid", how="Unscrew it.", container="the can bin")
    scan.rules.add(title="Metal can", container="the can bin", take_apart=[lid])
    scan.object_rules.add(object_id="1", container="the can bin", take_apart=[lid])
    scan.object_rules.add(object_id="2", container="the glass bin", take_apart=[lid])
    text = printed(scan)
    assert "1. Metal can → the can bin" in text
    assert "2. Jam jar → the glass bin" in text
    assert text.count("1. Lid → the can bin: Unscrew it.") == 2


def test_one_thing_needs_no_list() -> None:
    """The card is about it already."""
    assert LABELS[Locale.EN].objects not in printed(succeeded())
