"""helm/files/settings.json, the names of all settings: `python -m all_in_one.settings_names`.

The chart refuses a setting that no service has, which would be a variable that nobody reads.
"""

import json
from collections.abc import Mapping, Sequence

from auth_svc.settings import AuthSettings
from character_svc.settings import CharacterSettings
from mesh.s3.prepare import BucketSettings
from mesh.settings import ServiceSettings
from ratelimit_svc.settings import RateLimitSettings
from rules_svc.settings import RulesSettings
from scan_svc.settings import ScanSettings
from vision_svc.settings import VisionSettings

_PROGRAMS: Mapping[str, type[ServiceSettings]] = {
    "scan": ScanSettings,
    "vision": VisionSettings,
    "rules": RulesSettings,
    "character": CharacterSettings,
    "auth": AuthSettings,
    "ratelimit": RateLimitSettings,
    "bucket": BucketSettings,
}


def names() -> Mapping[str, Sequence[str]]:
    """The names of each program's settings, without `ECO2_`."""
    return {program: sorted(settings.model_fields) for program, settings in _PROGRAMS.items()}


if __name__ == "__main__":
    print(json.dumps(names(), indent=1))
