"""What the stores need before services start: the database's schemas, the photos' bucket."""

import sys
from collections.abc import Mapping

from local.stack import envoy, services
from local.stack.supervisor import finish


async def migrate(variables: Mapping[str, str]) -> str:
    """Brings the database's schemas up to date, by the command that production uses.

    Args:
        variables: With the database's address, or both if a pooler is in front of it.

    Returns:
        What the command printed: a line for each migration it applied.

    Raises:
        NotStarted: A migration failed.
    """
    owners = [f"{name}_svc" for name in services.SERVICES if (envoy.ROOT / f"{name}_svc" / "migrations").is_dir()]
    command = (sys.executable, "-m", "mesh.postgres", "migrate", *owners)
    addresses = {name: variables.get(name, "") for name in ("ECO2_DATABASE_URL", "ECO2_DATABASE_LISTEN_URL")}
    return await finish(command, addresses)


async def prepare_bucket(variables: Mapping[str, str]) -> str:
    """Sets the bucket's lifecycle and the pages that may use it, by the command that production uses.

    Returns:
        What the command printed.

    Raises:
        NotStarted: Storage refused.
    """
    storage = {name: value for name, value in variables.items() if name.startswith(("ECO2_S3_", "ECO2_CDN_"))}
    storage["ECO2_CORS_ORIGINS"] = "*"  # SeaweedFS knows no * for a port; the signature is what protects an upload
    return await finish((sys.executable, "-m", "mesh.bucket", "prepare"), storage)
