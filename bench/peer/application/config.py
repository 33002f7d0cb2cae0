"""Settings, from the environment: what `bench.peer.stack` hands over, and the knobs of bench/README.md."""

from os import environ
from pathlib import Path

AMQP_URL = environ["PEER_AMQP_URL"]
REDIS_URL = environ["PEER_REDIS_URL"]
POSTGRES_URL = environ["PEER_POSTGRES_URL"]
CHARACTER_ADDRESS = environ["PEER_CHARACTER_ADDRESS"]
JWKS = environ["PEER_JWKS"]  # the public key of users' tokens

MODEL_URL = environ["ECO2_OPENAI_BASE_URL"]
MODEL_SECONDS = 60.0
PROMPTS = Path(environ["PEER_PROMPTS"])  # requests of the other system's to the model, see `prompts`

S3_ENDPOINT = environ["ECO2_S3_ENDPOINT"]
S3_BUCKET = environ["ECO2_S3_BUCKET"]
S3_REGION = environ["ECO2_S3_REGION"]
S3_ACCESS_KEY = environ["ECO2_S3_ACCESS_KEY"]
S3_SECRET_KEY = environ["ECO2_S3_SECRET_KEY"]
CDN_BASE_URL = environ["ECO2_CDN_BASE_URL"]

# Knobs; the defaults are the best that was found, see bench/README.md.
POOL = environ.get("PEER_POOL", "threads")
CONCURRENCY = int(environ.get("PEER_CONCURRENCY", "500"))
PREFETCH = int(environ.get("PEER_PREFETCH", "1"))
BROKER_CONNECTIONS = int(environ.get("PEER_BROKER_CONNECTIONS", "32"))

RATE = 100_000  # scans of one user a minute; as good as none, as in the other system under this benchmark
PROGRESS_SECONDS = 3_600
RESULT_SECONDS = 86_400
PIECE_SECONDS = 0.1  # between two published pieces of an answer

# How far a scan is when a stage begins, in percent.
PERCENT = {
    "queued": 0,
    "vision": 10,
    "prepare": 30,
    "classify": 50,
    "rule": 60,
    "answer": 70,
    "reward": 95,
    "done": 100,
}
FAILED = -1


def progress_key(job_id: str) -> str:
    """Where Redis keeps how far a scan is."""
    return f"job:{job_id}:progress"


def result_key(job_id: str) -> str:
    """Where Redis keeps a scan's result."""
    return f"job:{job_id}:result"


def channel(job_id: str) -> str:
    """Where changes of a scan are published."""
    return f"scan:{job_id}"
