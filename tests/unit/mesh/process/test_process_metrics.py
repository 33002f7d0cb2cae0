"""What a process measures of itself while somebody scrapes it."""

import subprocess
import sys

from tests.support.ports import free_port

# With a collection at nearly every object that is made, one begins within every lock that is held.
_PROCESS = """
import asyncio, gc, sys, urllib.request
from mesh.observability.metering import metering
from mesh.process.metrics import process_metrics

def scrape():
    return urllib.request.urlopen(f"http://{sys.argv[1]}/metrics").read().decode()

async def main():
    with metering("test", sys.argv[1]) as instruments, process_metrics(instruments):
        gc.collect(0)
        gc.freeze()
        gc.set_threshold(1)
        scraped = await asyncio.to_thread(scrape)
        gc.set_threshold(0)
        print(scraped)

asyncio.run(main())
"""


def test_a_collection_within_a_scrape_doesnt_stop_the_process() -> None:
    """It is told of from inside the scrape, which waits for nobody but itself."""
    command = [sys.executable, "-c", _PROCESS, f"127.0.0.1:{free_port()}"]
    scraped = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    counted = [line for line in scraped.splitlines() if line.startswith("eco2_gc_pause_seconds_count")]
    assert [line.split("{")[1].split("}")[0] for line in counted] == [
        f'cpython_gc_generation="{generation}"' for generation in range(3)
    ]
    assert float(counted[0].rpartition(" ")[2]) > 1
