"""Runs the Vision service: `python -m vision_svc`."""

from mesh.process.lifetime import main
from vision_svc.app import application
from vision_svc.settings import VisionSettings

main(VisionSettings, application)
