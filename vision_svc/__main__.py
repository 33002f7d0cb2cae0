"""Runs the Vision service: `python -m vision_svc`."""

import mesh.plain_logs  # noqa: F401, before anything that logs

# isort: split

from mesh.server import main
from vision_svc.app import application
from vision_svc.settings import VisionSettings

main(VisionSettings, application)
