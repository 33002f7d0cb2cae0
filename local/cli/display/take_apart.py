"""How a thing is taken apart, as text."""

from eco2.rules.v1 import disposal_pb2


def part_lines(rule: disposal_pb2.DisposalRule) -> list[str]:
    """A line for each part, in order, with where it goes."""
    return [
        f"{number}. {step.part} → {step.container}: {step.how}" for number, step in enumerate(rule.take_apart, start=1)
    ]
