"""A real Prometheus, Debian's, that scrapes what a test wants and evaluates the rules it is given."""

import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from local.debian import libraries, unpacked
from tests.support.ports import free_port
from tests.support.waiting import eventually

_ENDING_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query's answer.

    Attributes:
        labels: Its labels, the name among them as `__name__` where it has one.
        value: Its value.
    """

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """A running server.

    Args:
        http: Its client.

    Attributes:
        http: As above; its base address is the server's.
    """

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def query(self, expression: str) -> list[Sample]:
        """What an expression is now.

        Raises:
            ValueError: Prometheus doesn't understand it; the text is its own.
        """
        result = await self._get("query", query=expression)
        return [Sample(one["metric"], float(one["value"][1])) for one in result["result"]]

    async def names(self) -> set[str]:
        """The names of all series there are."""
        return set(await self._get("label/__name__/values"))

    async def firing(self) -> Mapping[str, list[Mapping[str, str]]]:
        """The labels of alerts that fire, by alert."""
        firing: dict[str, list[Mapping[str, str]]] = {}
        for alert in (await self._get("alerts"))["alerts"]:
            if alert["state"] == "firing":
                firing.setdefault(alert["labels"]["alertname"], []).append(alert["labels"])
        return firing

    async def rules(self) -> list[Mapping[str, Any]]:
        """Every rule that is loaded, with its `health` and `lastError`."""
        return [rule for group in (await self._get("rules"))["groups"] for rule in group["rules"]]

    async def scraped(self, targets: int) -> None:
        """Waits until so many targets have answered."""

        async def all_up() -> bool:
            return len(await self.query("up == 1")) == targets

        await eventually(all_up)

    async def fresh(self) -> None:
        """Waits until everything has been scraped that has happened by now."""
        now = time.time()

        async def scraped_since() -> bool:
            return (await self.query("min(timestamp(up))"))[0].value > now

        await eventually(scraped_since)

    async def _get(self, path: str, **parameters: str) -> Any:
        answer = (await self.http.get(f"/api/v1/{path}", params=parameters)).json()
        if answer["status"] != "success":
            raise ValueError(answer["error"])
        return answer["data"]


@asynccontextmanager
async def running(
    folder: Path, configuration: Path, rules: Sequence[Path] = (), interval: str = "1s"
) -> AsyncIterator[Prometheus]:
    """A Prometheus that is ready, until the block is left.

    Args:
        folder: Where it keeps what it has scraped.
        configuration: What it scrapes, such as `prometheus.yaml` in the folder of a stack.
        rules: Files of rules.
        interval: How often it scrapes, and evaluates rules that say nothing else.

    Raises:
        CannotStart: There is no apt to get it by.
    """
    address = f"127.0.0.1:{free_port()}"
    with _started(folder, _configured(folder, configuration, rules, interval), address) as server:
        async with httpx2.AsyncClient(base_url=f"http://{address}", timeout=30.0) as http:

            async def ready() -> bool:
                assert server.poll() is None, "it has ended: see prometheus.log"
                try:
                    return (await http.get("/-/ready")).status_code == 200
                except httpx2.TransportError:
                    return False

            await eventually(ready)
            yield Prometheus(http)


def _configured(folder: Path, configuration: Path, rules: Sequence[Path], interval: str) -> Path:
    wanted = json.loads(configuration.read_text("utf-8"))  # the stack writes it as JSON, which is YAML
    wanted["global"] = {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval}
    wanted["rule_files"] = [str(path.resolve()) for path in rules]
    file = folder / "prometheus.json"
    file.write_text(json.dumps(wanted), "utf-8")
    return file


@contextmanager
def _started(folder: Path, configuration: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    root = unpacked("prometheus")
    command = [
        str(root / "usr/bin/prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=dict(libraries(root)))
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
