"""`python -m ratelimit_svc` serves until SIGTERM."""

from mesh.process.lifetime import main
from ratelimit_svc.app import application
from ratelimit_svc.settings import RateLimitSettings

if __name__ == "__main__":
    main(RateLimitSettings, application)
