"""What a scan has so far: the results of its stages."""

import msgspec

from scan_svc.mirrors.character import Reward, RewardOutcome
from scan_svc.mirrors.places import Place
from scan_svc.mirrors.rules import Answer, DisposalRule
from scan_svc.mirrors.vision import Classification


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan has so far; each stage fills its own part, once. A struct as the scan is, for the same reason."""

    vision: Classification | None = None
    rules: tuple[DisposalRule, ...] | None = None
    answer: Answer | None = None
    places: tuple[Place, ...] | None = None
    reward: Reward | None = None

    def with_answer(self, found: Classification, answer: Answer) -> "Results":
        """The same with another answer. A reward for another category is none for this one, unless it was put off."""
        same = self.vision is not None and self.vision.category == found.category
        put_off = self.reward is not None and self.reward.outcome is RewardOutcome.INSUFFICIENT
        return msgspec.structs.replace(
            self, vision=found, answer=answer, reward=self.reward if same or put_off else None
        )

    @property
    def awaits_reward(self) -> bool:
        """Whether a reward is still to be evaluated: of an answer, or of one that has become complete since."""
        if self.answer is None:
            return False
        settled = not self.answer.insufficiencies
        return self.reward is None or (settled and self.reward.outcome is RewardOutcome.INSUFFICIENT)
