"""Settings of the Vision service."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from mesh.models.settings import ModelSettings
from mesh.s3.settings import StorageSettings
from vision_svc.model import MODEL

if TYPE_CHECKING:  # at run time only where a model is called
    from mesh.models.ledger import Limits

OFFLINE = "offline"
DEFAULT_MODEL = "gpt-4.1-mini"
_MICRO = 1_000_000
# Calls a minute that comparisons may make of a model: a tenth of what users may, and beside it.
_COMPARISONS_PART = 10


class VisionSettings(StorageSettings, ModelSettings):
    """Settings of the Vision service."""

    vision_model: Path = Field(MODEL, description="The ONNX file that `vision_svc.model.convert` builds.")
    vision_threads: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        description="Photos decoded at once, each in a process of its own, and classified offline at once; one a core. "
        "While others' slow photos hold all processes, a quarter more are decoded.",
    )
    vision_decode_seconds: float = Field(10.0, gt=0, description="CPU time that cleaning one photo may take.")
    vision_slots: int = Field(
        16,
        ge=1,
        description="Photos of our storage being loaded or decoded at once; a quarter more for users without one.",
    )
    vision_outside_slots: int = Field(
        4,
        ge=1,
        description="Photos of outside addresses being loaded or decoded at once; a quarter more as well.",
    )
    vision_queue: int = Field(1000, ge=0, description="Photos that may wait for a place; more are sent away.")
    vision_clips: int = Field(1, ge=1, description="Clips looked through at once, each in a process of its own.")
    vision_clip_queue: int = Field(20, ge=0, description="Clips that may wait for a place; more come again later.")
    vision_clip_seconds: float = Field(20.0, gt=0, description="CPU time that looking through one clip may take.")
    vision_fetch_seconds: float = Field(20.0, gt=0, description="Limit for one download from an outside address.")
    vision_fetch_rate: int = Field(
        32_768, gt=0, description="Bytes a second that such a download must have brought from its sixth second on."
    )
    vision_chain: str = Field(
        "",
        description="Who is asked, in order, by commas: hosted models' names and `offline`. "
        "Default: gpt-4.1-mini,offline with a key, offline without.",
    )
    vision_detail: Literal["low", "high", "auto"] = Field("high", description="How closely a hosted model looks.")
    vision_compared: str = Field(
        "",
        description="Whom operators' comparisons may ask beside the chain, by commas: hosted models' names, `offline`.",
    )
    vision_comparison_slots: int = Field(
        4, ge=1, description="Photos that comparisons look at at once; users' photos have their own."
    )
    vision_comparison_daily_usd: float = Field(
        5.0, ge=0, description="Money for comparisons in a day of UTC, beside that for users; 0 for no limit."
    )
    rules_target: str = Field("", description="Rules service; hosted models take the taxonomy from it.")

    @property
    def chain(self) -> tuple[str, ...]:
        """The classifiers, in the order they are asked."""
        default = f"{DEFAULT_MODEL},{OFFLINE}" if self.openai_api_key.get_secret_value() else OFFLINE
        return _names(self.vision_chain or default)

    @property
    def compared(self) -> tuple[str, ...]:
        """The classifiers that a comparison may ask."""
        return tuple(dict.fromkeys((*self.chain, *_names(self.vision_compared))))

    def comparison_limits(self) -> "Limits":
        """How much comparisons may use of hosted models, beside users."""
        from mesh.models.ledger import Limits

        return Limits(
            max(1, self.model_requests_per_minute // _COMPARISONS_PART),
            max(1, self.model_tokens_per_minute // _COMPARISONS_PART),
            round(self.vision_comparison_daily_usd * _MICRO),
        )

    @model_validator(mode="after")
    def _models_can_be_asked(self) -> Self:
        if any(name != OFFLINE for name in self.compared):
            if not self.openai_api_key.get_secret_value():
                raise ValueError("a hosted model is in the chain, or compared: set OPENAI_API_KEY")
            if not self.rules_target:
                raise ValueError("a hosted model needs the taxonomy: set ECO2_RULES_TARGET")
        return self


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
