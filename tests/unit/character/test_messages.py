"""The sentences about rewards."""

from string import Formatter

import pytest

from character_svc.messages import MESSAGES
from character_svc.rewards import RewardOutcome
from mesh.locale import Locale


@pytest.mark.parametrize("outcome", RewardOutcome)
@pytest.mark.parametrize("locale", Locale)
def test_every_outcome_has_a_sentence_that_names_the_character_where_there_is_one(
    outcome: RewardOutcome, locale: Locale
) -> None:
    """A missing sentence, or a name that nobody fills in, would reach the user's screen."""
    text = MESSAGES[outcome][locale]
    fields = [field for _, field, _, _ in Formatter().parse(text) if field is not None]
    assert text.strip()
    assert fields == (["name"] if outcome in (RewardOutcome.GRANTED, RewardOutcome.ALREADY_OWNED) else [])
