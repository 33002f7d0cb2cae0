"""`python -m character_svc` serves until SIGTERM."""

import mesh.lean  # noqa: F401, before anything else is loaded

# isort: split

from character_svc.app import application
from character_svc.settings import CharacterSettings
from mesh.server import main

main(CharacterSettings, application)
