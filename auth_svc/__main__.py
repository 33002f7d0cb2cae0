"""`python -m auth_svc` serves until SIGTERM."""

from auth_svc.app import application
from auth_svc.settings import AuthSettings
from mesh.process.lifetime import main

main(AuthSettings, application)
