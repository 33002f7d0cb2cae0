"""`python -m all_in_one` serves the services that ECO2_TARGETS names, all by default, until SIGTERM."""

from all_in_one.app import application, load_settings
from all_in_one.settings import ProcessSettings
from mesh.process.lifetime import run
from mesh.settings import load

if __name__ == "__main__":
    process = load(ProcessSettings)
    settings = load_settings(process)
    run(lambda: application(process, settings))
