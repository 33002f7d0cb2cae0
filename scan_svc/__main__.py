"""`python -m scan_svc`: serves Scan until SIGTERM."""

from mesh.process.lifetime import main
from scan_svc.app import application
from scan_svc.settings import ScanSettings

if __name__ == "__main__":
    main(ScanSettings, application)
