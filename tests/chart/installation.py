"""What an operator does before and with the chart: Secrets, certificates, values, migrations, the bucket."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from local.stack.certificates import Authority
from local.stack.secrets import Secrets
from local.stack.tokens import AUDIENCE, ISSUER, Tokens
from tests.chart.cluster.manifests import Document, Release, rendered

# A few users, at one address, ask more here than phones would: as much as the chart may allow.
_MUCH = 1_000_000
_LIMITS = {
    "any": {"address": _MUCH},
    "create": {"user": _MUCH, "address": _MUCH},
    "start": {"user": _MUCH, "address": _MUCH},
    "read": {"user": _MUCH},
    "watch": {"user": _MUCH},
}
# Two of what this is about, and of the edge; one of each other, which a restart makes two.
_REPLICAS = {"scan": 2, "worker": 2, "vision": 1, "rules": 1, "character": 1, "auth": 1, "ratelimit": 1}


def stores(stack: Mapping[str, str], database_url: str, host: str) -> dict[str, str]:
    """Addresses of the suite's stores as pods reach them.

    Args:
        stack: As the suite knows them.
        database_url: That of the database to use.
        host: Where loopback's ports are for pods.
    """
    named = {name: stack[name] for name in ("ECO2_REDIS_URL", "ECO2_S3_ENDPOINT", "ECO2_CDN_BASE_URL")}
    named["ECO2_DATABASE_URL"] = database_url
    return {name: url.replace("127.0.0.1", host) for name, url in named.items()}


def ports(addresses: Mapping[str, str]) -> set[int]:
    """The ports in addresses."""
    return {port for url in addresses.values() if (port := urlsplit(url).port)}


def values(stack: Mapping[str, str], addresses: Mapping[str, str], tokens: Tokens) -> str:
    """The values. As JSON: in YAML a key's bare `y` would be true."""
    return json.dumps(
        {
            "settings": {
                "s3_endpoint": addresses["ECO2_S3_ENDPOINT"],
                "s3_bucket": stack["ECO2_S3_BUCKET"],
                "s3_region": stack["ECO2_S3_REGION"],
                "cdn_base_url": addresses["ECO2_CDN_BASE_URL"],
            },
            "services": {
                **{name: {"replicas": count} for name, count in _REPLICAS.items()},
                "vision": {"replicas": 1, "settings": {"vision_threads": 1}},
            },
            "limits": _LIMITS,
            "edge": {"trustedHops": 0},
            "jwt": {"issuer": ISSUER, "audience": AUDIENCE, "jwks": json.loads(tokens.jwks())},
        }
    )


def release(file: Path, addresses: Mapping[str, str], secrets: Secrets, authority: Authority) -> Release:
    """The chart with these values and the Secrets it names; cert-manager's are made here.

    Args:
        file: The values.
        addresses: Of the stores.
        secrets: The stack's.
        authority: Makes certificates.
    """
    documents = rendered(file)
    brought: dict[str, Mapping[str, str]] = {
        "eco2-database": {"url": addresses["ECO2_DATABASE_URL"]},
        "eco2-redis": {"url": addresses["ECO2_REDIS_URL"]},
        "eco2-storage": {"access_key": secrets.s3_access_key, "secret_key": secrets.s3_secret_key},
        "eco2-auth": {"secrets": secrets.auth_secret},
        "eco2-logs": {"pseudonym_key": secrets.pseudonym_key},
    }
    return Release(documents, {**brought, **dict(_certificates(documents, authority))})


def _certificates(documents: Sequence[Document], authority: Authority) -> Iterator[tuple[str, Mapping[str, str]]]:
    """What cert-manager would put into Secrets."""
    for spec in (each["spec"] for each in documents if each["kind"] == "Certificate"):
        if spec.get("isCA"):
            continue
        callers = [urlsplit(uri).path.removeprefix("/") for uri in spec["uris"]]
        made = authority.certify(spec["secretName"], callers)
        files = {"tls.crt": made.cert, "tls.key": made.key, "ca.crt": made.ca}
        yield spec["secretName"], {name: Path(path).read_text("utf-8") for name, path in files.items()}
