"""Runs the Vision service: `python -m vision_svc`."""

import mesh.lean  # noqa: F401, before anything else is loaded

# isort: split

from mesh.server import main
from vision_svc.app import application
from vision_svc.settings import VisionSettings

main(VisionSettings, application)
