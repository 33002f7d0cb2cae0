"""The rule book as it ships."""

import pytest

from rules_svc import yaml_book
from rules_svc.questions import Questions
from rules_svc.rulebook import Rulebook


@pytest.fixture(scope="session")
def book() -> Rulebook:
    """Taxonomy, tags and rules."""
    return yaml_book.load()


@pytest.fixture(scope="session")
def questions() -> Questions:
    """What people ask, and what they have to be asked."""
    return yaml_book.load_questions()
