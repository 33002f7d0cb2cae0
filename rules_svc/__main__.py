"""`python -m rules_svc` serves until SIGTERM."""

import mesh.lean  # noqa: F401, before anything else is loaded

# isort: split

from mesh.server import main
from rules_svc.app import application
from rules_svc.settings import RulesSettings

main(RulesSettings, application)
