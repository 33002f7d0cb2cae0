"""Whether the edge of an installation is well, and lets nobody in without a token. `helm test` runs it."""

import json
import os
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

edge = os.environ["ECO2_REST_URL"]
with urlopen(f"{edge}/healthz", timeout=5) as answer:
    if answer.status != 200:
        sys.exit(f"{edge}/healthz answers {answer.status}")
try:
    urlopen(f"{edge}/v1/taxonomy", timeout=5)
except HTTPError as refused:
    if refused.code != 401 or json.load(refused)["code"] != 16:
        sys.exit(f"without a token the edge answers {refused.code}")
else:
    sys.exit("the edge answered without a token")
