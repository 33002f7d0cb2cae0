"""Metrics of looking at photos."""

from collections.abc import Callable

from mesh.observability.instruments import Instruments
from mesh.observability.metrics import Kind, Metric

_CLASSIFIERS = "`offline`, or a model's name as configured"

DECODER_DURATION = Metric(
    "eco2.decoder.duration",
    Kind.HISTOGRAM,
    "s",
    "What photos take to be cleaned, by how that ended; died: the process did, whatever killed it.",
    {"eco2.outcome": ("cleaned", "refused", "too_slow", "died")},
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
DECODER_PROCESSES = Metric(
    "eco2.decoder.processes",
    Kind.UP_DOWN_COUNTER,
    "{process}",
    "Processes that clean photos, by what they do.",
    {"eco2.state": ("busy", "idle")},
)
DECODER_WAITING = Metric("eco2.decoder.waiting", Kind.UP_DOWN_COUNTER, "{photo}", "Photos that wait for one of them.")
DECODER_LIMIT = Metric(
    "eco2.decoder.limit",
    Kind.GAUGE,
    "{process}",
    "How many photos are cleaned at once, but for slow ones.",
)
CONFIDENCE = Metric(
    "eco2.classifier.confidence",
    Kind.HISTOGRAM,
    "1",
    "How sure the offline model is; when photos or the model change, this does.",
    {"eco2.classifier": ("offline",)},
    (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1),
)
RESULTS = Metric(
    "eco2.classifier.results",
    Kind.COUNTER,
    "{photo}",
    "Photos that were classified, by the classifier that was asked; beside `ok` why the next one was asked, or none.",
    {"eco2.classifier": _CLASSIFIERS, "eco2.outcome": "`ok`, or a reason of `mesh.reasons.Reason`"},
)
METRICS = (DECODER_DURATION, DECODER_PROCESSES, DECODER_WAITING, DECODER_LIMIT, CONFIDENCE, RESULTS)

_OFFLINE = "offline"


class DecoderMeters:
    """What is counted of the decoder.

    Args:
        instruments: Make it.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._durations = instruments.histogram(DECODER_DURATION)

    def watch(self, limit: int, busy: Callable[[], int], idle: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Tells the pool's use from now on."""
        observe = self._instruments.observe
        observe(DECODER_PROCESSES, lambda: [(busy(), {"eco2.state": "busy"}), (idle(), {"eco2.state": "idle"})])
        observe(DECODER_WAITING, lambda: [(waiting(), {})])
        observe(DECODER_LIMIT, lambda: [(limit, {})])

    def ended(self, outcome: str, seconds: float) -> None:
        """A photo has left its process."""
        self._durations.record(seconds, {"eco2.outcome": outcome})


class ClassifierMeters:
    """What is counted of the classifiers.

    Args:
        instruments: Make it.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._confidence = instruments.histogram(CONFIDENCE)
        self._results = instruments.counter(RESULTS)

    def classified(self, classifier: str, confidence: float) -> None:
        """A classifier has said something."""
        self._results.add(1, {"eco2.classifier": classifier, "eco2.outcome": "ok"})
        if classifier == _OFFLINE:
            self._confidence.record(confidence, {"eco2.classifier": _OFFLINE})

    def failed(self, classifier: str, reason: str) -> None:
        """A classifier couldn't."""
        self._results.add(1, {"eco2.classifier": classifier, "eco2.outcome": reason})
