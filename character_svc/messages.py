"""The one sentence a user reads about a reward."""

from collections.abc import Mapping
from types import MappingProxyType

from character_svc.rewards import RewardOutcome
from mesh.locale import Text

# The Korean sentences put nothing behind {name} that would change with its last letter.
MESSAGES: Mapping[RewardOutcome, Text] = MappingProxyType(
    {
        RewardOutcome.GRANTED: Text(
            ko="새로운 친구 {name}! 올바른 분리배출로 만났어요.",
            en="Meet {name}, your new friend, earned by sorting well.",
        ),
        RewardOutcome.ALREADY_OWNED: Text(
            ko="이미 함께하고 있는 {name}! 이번에도 잘했어요.",
            en="{name} is with you already. Well sorted again!",
        ),
        RewardOutcome.NOT_RECYCLABLE: Text(
            ko="캐릭터는 재활용품을 분리배출할 때 만날 수 있어요.",
            en="Characters come with recyclables; this one goes elsewhere.",
        ),
        RewardOutcome.NO_RULES: Text(
            ko="배출 방법을 찾지 못해 이번에는 캐릭터를 드리지 못했어요.",
            en="We found no disposal rule for this one, so there is no character this time.",
        ),
        RewardOutcome.INSUFFICIENT: Text(
            ko="확인이 더 필요한 점이 있어 이번에는 캐릭터를 드리지 못했어요.",
            en="Something about this one is still open, so there is no character this time.",
        ),
    }
)
