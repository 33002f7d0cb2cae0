"""Opens hosted models for a service: one SDK client, one budget, a breaker each."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from mesh.models.budget import Budget, Clock
from mesh.models.client import HostedModel
from mesh.models.ledger import Ledger, Limits, LocalLedger, Purse, RedisLedger, SharedLedger
from mesh.models.metrics import ModelMetrics
from mesh.models.prices import price
from mesh.models.sdk import Sdk
from mesh.models.settings import ModelSettings
from mesh.models.shares import LeasedLedger
from mesh.observability.instruments import Instruments
from mesh.observability.stores import tell_breaker
from mesh.redis import open_redis


@asynccontextmanager
async def open_models(
    settings: ModelSettings,
    names: Sequence[str],
    instruments: Instruments,
    service: str = "",
    purse: Purse = Purse.USERS,
    limits: Limits | None = None,
) -> AsyncIterator[list[HostedModel]]:
    """The models with these names, closed at exit.

    Args:
        settings: Provider, key, limits and timeouts.
        names: Which.
        instruments: Count their calls.
        service: Who calls them; empty: nobody is told when their breakers open.
        purse: On whose account they are counted.
        limits: How much of it there is; those of the settings, if not given.

    Raises:
        UnknownModel: One has no price.
    """
    prices = [price(name, settings.model_prices) for name in names]
    if not names:
        yield []
        return
    clock = Clock()
    async with AsyncExitStack() as stack:
        ledger: Ledger = LocalLedger()
        if settings.redis_url:
            client = await stack.enter_async_context(open_redis(settings.redis_url.get_secret_value()))
            shares = LeasedLedger(RedisLedger(client, purse))
            stack.push_async_callback(shares.aclose)
            ledger = SharedLedger(shares)
        sdk = await stack.enter_async_context(Sdk(settings.openai_api_key.get_secret_value(), settings.openai_base_url))
        budget = Budget(ledger, limits or settings.limits(), clock)
        stack.push_async_callback(budget.settled)
        metrics = ModelMetrics(instruments, purse)
        models = [
            HostedModel(name, sdk, cost, budget, settings.timeouts(), clock, metrics)
            for name, cost in zip(names, prices, strict=True)
        ]
        for model in models if service else ():
            tell_breaker(instruments, service, model.name, lambda model=model: model.open)  # type: ignore[misc]
        yield models
