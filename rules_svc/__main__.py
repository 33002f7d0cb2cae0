"""`python -m rules_svc` serves until SIGTERM."""

from mesh.process.lifetime import main
from rules_svc.app import application
from rules_svc.settings import RulesSettings

main(RulesSettings, application)
