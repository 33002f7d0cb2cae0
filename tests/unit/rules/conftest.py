"""The rule book as it ships."""

import pytest

from rules_svc.answers.questions import Questions
from rules_svc.loading import loader
from rules_svc.loading.reloader import packaged
from rules_svc.rulebook.rulebook import Rulebook


@pytest.fixture(scope="session")
def book() -> Rulebook:
    """Taxonomy, tags and rules."""
    return packaged().book


@pytest.fixture(scope="session")
def questions() -> Questions:
    """What people ask, and what they have to be asked."""
    return loader.load_questions()
