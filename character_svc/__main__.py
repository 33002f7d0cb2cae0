"""`python -m character_svc` serves until SIGTERM."""

from character_svc.app import application
from character_svc.settings import CharacterSettings
from mesh.process.lifetime import main

main(CharacterSettings, application)
