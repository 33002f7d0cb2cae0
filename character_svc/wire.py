"""Protos of the Character service to its domain and back."""

from collections.abc import Sequence
from uuid import UUID

from character_svc import catalogue, messages, rewards
from eco2.character.v1 import character_pb2, character_service_pb2
from mesh.grpc.identity import Caller
from mesh.locale import Locale


def to_facts(request: character_service_pb2.EvaluateRewardRequest) -> rewards.ScanFacts:
    """The facts about the scan."""
    return rewards.ScanFacts(
        major=request.category.major,
        middle=request.category.middle,
        rule_count=request.rule_count,
        insufficiency_count=request.insufficiency_count,
    )


def to_scan_id(request: character_service_pb2.EvaluateRewardRequest) -> UUID:
    """The scan's id."""
    return UUID(request.scan_id)


def to_user_id(request: character_service_pb2.EvaluateRewardRequest, who: Caller) -> str:
    """Whose scan it is: the header's user, or the request's for callers that don't send the header.

    Raises:
        Unauthenticated: Neither names a user.
    """
    return who.account or request.user_id or who.user_id


def from_character(character: catalogue.Character, locale: Locale) -> character_pb2.Character:
    """A character in one language."""
    return character_pb2.Character(
        character_id=character.id,
        name=character.name[locale],
        middle=character.middle,
        dialogue=character.dialogue[locale],
    )


def from_owned(
    owned: rewards.OwnedCharacter, characters: catalogue.Catalogue, locale: Locale
) -> character_pb2.OwnedCharacter:
    """One character of a collection in one language."""
    message = character_pb2.OwnedCharacter(
        character=from_character(characters[owned.character_id], locale), count=owned.count
    )
    message.first_earned_time.FromDatetime(owned.earned_at)
    message.last_earned_time.FromDatetime(owned.last_earned_at)
    return message


def from_collection(
    collection: Sequence[rewards.OwnedCharacter], characters: catalogue.Catalogue, locale: Locale
) -> character_service_pb2.ListOwnedCharactersResponse:
    """A collection in one language; an empty one with the default character, who greets its user."""
    return character_service_pb2.ListOwnedCharactersResponse(
        characters=[from_owned(one, characters, locale) for one in collection],
        default_character=None if collection else from_character(characters.default, locale),
    )


def from_reward(reward: rewards.Reward, characters: catalogue.Catalogue, locale: Locale) -> character_pb2.Reward:
    """A reward with its sentence in one language; `already_owned` is left out where there is no character."""
    outcome = character_pb2.Reward.Outcome.Value(f"OUTCOME_{reward.outcome}")
    text = messages.MESSAGES[reward.outcome][locale]
    if reward.character_id is None or reward.match is None:
        return character_pb2.Reward(outcome=outcome, message=text)
    character = characters[reward.character_id]
    return character_pb2.Reward(
        outcome=outcome,
        character=from_character(character, locale),
        match_reason=reward.match,
        already_owned=reward.outcome is rewards.RewardOutcome.ALREADY_OWNED,
        message=text.format(name=character.name[locale]),
    )
