"""Deployments: as many ready pods as they want, and all of them replaced without a gap."""

import asyncio

from tests.chart.cluster.manifests import Release, Workload
from tests.chart.cluster.network import Network
from tests.chart.cluster.pods import Node, Pod


class Cluster:
    """The deployments of a release, and where its services are.

    Attributes:
        endings: Of each pod that was ended: its workload's name, its exit status, the seconds it took.
    """

    def __init__(self, release: Release, node: Node, network: Network) -> None:
        self._release, self._node, self._network = release, node, network
        self.pods: list[Pod] = []
        self._ready: list[Pod] = []
        self.endings: list[tuple[str, int, float]] = []

    async def deploy(self) -> None:
        """Starts everything and waits until it is ready."""
        async with asyncio.TaskGroup() as starting:
            for each in self._release.deployments:
                for _ in range(each.replicas):
                    starting.create_task(self._add(each))

    async def restart(self) -> None:
        """Replaces every pod, all deployments at once, as an upgrade does."""
        async with asyncio.TaskGroup() as rolling:
            for each in self._release.deployments:
                rolling.create_task(self._roll(each))

    async def stop(self) -> None:
        """Ends everything."""
        await asyncio.gather(*(self._remove(pod) for pod in [*self.pods]))

    def ready(self, name: str) -> list[str]:
        """Addresses of a deployment's ready pods."""
        return [pod.address for pod in self._ready if pod.workload.name == name]

    async def _roll(self, workload: Workload) -> None:
        """One more, then one less, as maxSurge 1 and maxUnavailable 0 say."""
        for old in [pod for pod in self.pods if pod.workload.name == workload.name]:
            await self._add(workload)
            await self._remove(old)

    async def _add(self, workload: Workload) -> None:
        pod = self._node.start(workload)
        self.pods.append(pod)
        self._publish()  # the chart's headless services tell of pods that aren't ready, too
        await pod.ready()
        self._ready.append(pod)

    async def _remove(self, pod: Pod) -> None:
        self._ready = [each for each in self._ready if each is not pod]
        status, seconds = await pod.end()
        self.endings.append((pod.workload.name, status, seconds))
        self.pods.remove(pod)
        self._publish()

    def _publish(self) -> None:
        self._network.publish(
            {
                service["metadata"]["name"]: [
                    pod.address for pod in self.pods if self._release.selected_by(service, pod.workload)
                ]
                for service in self._release.of_kind("Service")
            }
        )
