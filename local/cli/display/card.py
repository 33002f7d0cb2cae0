"""A finished scan as a card in the terminal."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from eco2.character.v1 import character_pb2
from eco2.rules.v1 import disposal_pb2
from eco2.scan.v1 import scan_pb2
from eco2.vision.v1 import classification_pb2
from local.cli.api.errors import ErrorText
from local.cli.display.labels import LABELS, Labels
from local.cli.display.names import Names
from local.cli.display.take_apart import part_lines
from mesh.locale import Locale

_State = scan_pb2.Scan.State
_Outcome = character_pb2.Reward.Outcome
_BAR = 20
_WIDTH = 96


def render(
    scan: scan_pb2.Scan, plan: disposal_pb2.EveningPlan | None = None, names: Names | None = None
) -> RenderableType:
    """The card of a scan in a terminal state, in the scan's language.

    Args:
        scan: The scan.
        plan: When what it shows can be put out, if that is known.
        names: What categories are called in that language, if that is known.
    """
    locale = Locale.parse(scan.locale)
    labels = LABELS[locale]
    if scan.state == _State.STATE_FAILED:
        failure = ErrorText.of(scan.error, locale)
        return Panel(Text(failure.text), title=f"{labels.failed} · {failure.reason}", border_style="red", width=_WIDTH)
    if scan.state != _State.STATE_SUCCEEDED:
        text = labels.cancelled if scan.state == _State.STATE_CANCELLED else labels.expired
        return Panel(Text(text), border_style="yellow", width=_WIDTH)
    title = Text(scan.classification.display_name, style="bold")
    body = Group(*_sections(scan, plan, labels, names or Names(locale)))
    return Panel(body, title=title, border_style="green", padding=(1, 2), width=_WIDTH)


def _sections(
    scan: scan_pb2.Scan, plan: disposal_pb2.EveningPlan | None, labels: Labels, names: Names
) -> Iterator[RenderableType]:
    yield from _classification(scan.classification, labels, names)
    if scan.answer.text:
        yield from _section(labels.answer, [Text(scan.answer.text)])
        choices = f"{labels.choices}: {' / '.join(scan.answer.choices)}"
        offered = [Text(choices, style="dim")] if scan.answer.choices else []
        yield from _section(labels.open_questions, [*_bullets(scan.answer.insufficiencies), *offered])
    if plan:
        yield from _section(labels.evening, [Text(plan.text, style="green")])
    # While it isn't known what the photo shows, each candidate has a rule of its own.
    for rule in [rule for number, rule in enumerate(scan.rules) if number == 0 or rule.HasField("candidate")]:
        yield from _rule(rule, scan.answer.text, labels)
    yield from _section(labels.objects, _objects(scan, labels))
    yield from _section(labels.places, [_places(scan.places, labels)] if scan.places else [])
    yield from _reward(scan.reward, labels)


def _classification(seen: classification_pb2.Classification, labels: Labels, names: Names) -> Iterator[RenderableType]:
    category = seen.category
    if path := names.path(category):
        yield Text(path, style="dim")
    if seen.HasField("seen"):  # its confidence was in something else
        yield Text(f"{labels.seen}: {seen.seen.display_name} {seen.seen.confidence:.0%}", style="dim")
    else:
        yield Text.assemble(f"{labels.confidence} ", *_bar(seen.confidence))
    others = [other for other in seen.candidates if other.category != category]
    if others:
        listed = ", ".join(map(_candidate, others))
        yield Text(f"{labels.candidates}: {listed}", style="dim")
    if situations := names.tags(seen.tags):
        yield Text(f"{labels.tags}: {situations}", style="dim")
    if seen.warning:
        yield Text(f"{labels.warning}: {seen.warning}", style="yellow")


def _candidate(candidate: classification_pb2.Candidate) -> str:
    """Its name, and how likely it is if a classifier said so."""
    likely = f" {candidate.confidence:.0%}" if candidate.HasField("confidence") else ""
    return f"{candidate.display_name}{likely}"


def _rule(rule: disposal_pb2.DisposalRule, answer: str, labels: Labels) -> Iterator[RenderableType]:
    """The rule that the answer was made from: its source, and what the answer doesn't contain."""
    steps = [Text(f"{number}. {step}") for number, step in enumerate(rule.steps, start=1) if step not in answer]
    parts = ((labels.why, rule.why), (labels.container, rule.container))
    more = [Text(f"{label}: {text}") for label, text in parts if text and text not in answer]
    kept_out = [Text(f"{labels.keep_out}: {out.item} → {out.instead}") for out in rule.exclusions]
    dangers = [Text(f"{labels.hazards}: {danger}", style="yellow") for danger in rule.hazards if danger not in answer]
    sources = [rule.local_source if rule.local_source not in answer else "", rule.source]
    source = [Text(line, style="dim") for line in sources if line]
    yield from _section(f"{labels.rule} · {rule.title}", [*steps, *more, *kept_out, *dangers, *source])
    yield from _section(labels.apart, map(Text, part_lines(rule)))


def _objects(scan: scan_pb2.Scan, labels: Labels) -> Iterator[Text]:
    """Each thing with where it goes, and how it is taken apart unless that is the photo's own plan."""
    rules = {rule.object_id: rule for rule in scan.object_rules}
    for number, one in enumerate(scan.classification.objects, start=1):
        rule = rules.get(one.object_id, disposal_pb2.DisposalRule())
        yield Text.assemble(f"{number}. ", (one.display_name, "bold"), f" → {rule.container}" if rule.container else "")
        if one.category != scan.classification.category:
            yield from (Text(f"   {labels.apart}: {step}", style="dim") for step in part_lines(rule))


def _places(places: Iterable[disposal_pb2.Place], labels: Labels) -> Table:
    table = Table.grid(padding=(0, 2))
    for place in places:
        name = Text(place.name) + (Text(f" ({labels.sample})", style="dim") if place.is_sample else Text())
        walk = labels.minutes.format(minutes=place.walking_minutes)
        table.add_row(name, Text(place.address, style="dim"), f"{place.distance_meters} m", walk)
    return table


def _reward(reward: character_pb2.Reward, labels: Labels) -> Iterator[RenderableType]:
    if reward.outcome in (_Outcome.OUTCOME_GRANTED, _Outcome.OUTCOME_ALREADY_OWNED):
        earned = Text.assemble((f"★ {reward.character.name}", "bold magenta"), f"  “{reward.character.dialogue}”")
        yield from _section(labels.character, [earned, Text(reward.message, style="dim")])
    elif reward.message:
        yield from _section(labels.character, [Text(reward.message, style="dim")])


def _section(title: str, body: Iterable[RenderableType]) -> Iterator[RenderableType]:
    """A heading with something under it; nothing at all if there is nothing."""
    lines = list(body)
    if lines:
        yield Text(f"\n{title}", style="bold cyan")
        yield from (Padding(line, (0, 0, 0, 2)) for line in lines)


def _bullets(lines: Iterable[str]) -> list[Text]:
    return [Text(f"· {line}") for line in lines]


def _bar(share: float) -> list[Text]:
    filled = round(share * _BAR)
    return [Text("█" * filled, style="green"), Text("░" * (_BAR - filled), style="dim"), Text(f" {share:.0%}")]
