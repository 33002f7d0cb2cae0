"""Alerts apart from those on objectives, by what they are about.

What users notice pages. What they will notice unless somebody mends it, or what only costs, is a ticket.
"""

from collections.abc import Mapping, Sequence

from monitoring.alerts import Alert
from monitoring.causes.edge import EDGE
from monitoring.causes.money import MONEY
from monitoring.causes.pipeline import PIPELINE
from monitoring.causes.processes import PROCESSES
from monitoring.causes.stores import STORES

CAUSES: Mapping[str, Sequence[Alert]] = {
    "edge": EDGE,
    "pipeline": PIPELINE,
    "stores": STORES,
    "processes": PROCESSES,
    "money": MONEY,
}
