"""What a process with several services is told beside their own settings."""

from typing import Annotated

from pydantic import AfterValidator, Field

from mesh.settings import ServiceSettings

# In the order they start: each after those it calls.
SERVICES = ("ratelimit", "character", "rules", "vision", "scan", "auth")


def _names(listed: str) -> str:
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if unknown := [name for name in names if name not in SERVICES]:
        raise ValueError(f"there is no {', '.join(unknown)}: name some of {', '.join(SERVICES)}")
    if not names:
        raise ValueError(f"name some of {', '.join(SERVICES)}")
    return ",".join(name for name in SERVICES if name in names)


class ProcessSettings(ServiceSettings):
    """Settings of the process. What every service has, such as ECO2_LISTEN, is the process's, once for all of them."""

    targets: Annotated[str, AfterValidator(_names)] = Field(
        ",".join(SERVICES),
        description="Which services it serves, by commas: scan, vision, rules, character, auth, ratelimit.",
    )

    @property
    def services(self) -> tuple[str, ...]:
        """The services, in the order they start."""
        return tuple(self.targets.split(","))
