"""The stages' limits: the product's, but for what the settings change."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scan_svc.pipeline.stages import DEFAULTS, Stage
from scan_svc.settings import ScanSettings


def stage_limits(settings: ScanSettings) -> Mapping[str, Stage]:
    """Every stage, by its name."""
    changed: dict[str, dict[str, Any]] = {
        name: change.model_dump(exclude_none=True) for name, change in settings.stages.items()
    }
    return {name: replace(stage, **changed.get(name, {})) for name, stage in DEFAULTS.items()}
