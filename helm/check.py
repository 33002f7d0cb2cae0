"""Checks the chart as `make check` does: `python -m helm.check`.

It is rendered with each file of values in profiles/ and ci/, with combinations of options, under names that are hard
and as an upgrade. What comes of it is validated against the schemas of Kubernetes and of the custom resources, held
against the restricted Pod Security Standard, compared with the program; and the real Envoy reads the edges'
configurations. Values that can't be right must be refused, in words.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from helm import consistency, program, validation
from helm.combinations import combinations
from helm.rendering import CHART, LOADER, Refused, Rendering, lint, render
from helm.stored import LIMIT, stored_bytes
from helm.tool import helm

_PROGRAMS = Path(sysconfig.get_path("scripts"))
_LARGEST = CHART / "profiles" / "production.yaml"
_LEAST = CHART / "ci" / "minimal-values.yaml"
# As long as Helm lets it be, of more than one part, not beginning with a letter; as an upgrade; in a namespace.
_HARD_NAMES = {
    "a long name": ("a" * 53, ()),
    "a name of parts": ("1st.release", ()),
    "the chart's name": ("eco2-staging", ("--namespace", "staging", "--is-upgrade")),
    "a long name of its own": ("eco2", ("--set", f"fullnameOverride={'b' * 63}")),
}


def main() -> None:
    """Command line.

    Raises:
        SystemExit: With all faults that were found.
    """
    helm()  # fetched once, before several want it
    found = [f"{values.relative_to(CHART)}: {text}" for values in _files() for text in _lint_faults(values)]
    renderings = _renderings()
    for rendering in renderings:
        found += (f"{rendering.name}: {text}" for text in consistency.faults(rendering.documents))
        found += (f"{rendering.name}: {text}" for text in program.faults(rendering.documents))
    found += validation.faults(each for rendering in renderings for each in rendering.documents)
    found += _edges(renderings)
    found += _taken_all_the_same()
    if (size := stored_bytes(_LARGEST)) > LIMIT * 0.98:
        found.append(f"a release takes {size} bytes of the {LIMIT} that Helm has for it")
    if found:
        sys.exit("\n".join(dict.fromkeys(found)))
    objects = sum(len(rendering.documents) for rendering in renderings)
    print(
        f"The chart: {len(renderings)} renderings, {objects} objects, {len(_refused())} refusals, all as they should be"
    )


def _files() -> list[Path]:
    return [*sorted((CHART / "profiles").glob("*.yaml")), *sorted((CHART / "ci").glob("*-values.yaml"))]


def _lint_faults(values: Path) -> Iterator[str]:
    try:
        lint(values)
    except Refused as refused:
        yield str(refused)


def _renderings() -> list[Rendering]:
    """The chart in all these ways.

    Raises:
        SystemExit: It can't be rendered in one of them.
    """
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        asked = [pool.submit(render, str(values.relative_to(CHART)), [values]) for values in _files()]
        for name, (release, arguments) in _HARD_NAMES.items():
            asked.append(pool.submit(render, name, [_LARGEST], release=release, arguments=arguments))
        for number, (name, chosen) in enumerate(combinations()):
            file = Path(folder) / f"{number}.yaml"
            file.write_text(json.dumps(chosen), encoding="utf-8")  # JSON is YAML in which `y` is a name
            asked.append(pool.submit(render, name, [_LEAST, file]))
        try:
            return [each.result() for each in asked]
        except Refused as refused:
            sys.exit(str(refused))


def _refused() -> Sequence[dict[str, object]]:
    """What ci/refused.yaml says: values, and what Helm must say of them."""
    cases: list[dict[str, object]] = yaml.load((CHART / "ci" / "refused.yaml").read_text("utf-8"), LOADER)
    return cases


def _taken_all_the_same() -> list[str]:
    """Values that can't be right and were taken, or refused in other words."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [fault for fault in pool.map(_not_refused, _refused()) if fault]


def _not_refused(case: dict[str, object]) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        json.dump(case["values"], file)
        file.flush()
        try:
            render("refused", [_LEAST, Path(file.name)])
        except Refused as refused:
            return (
                "" if str(case["says"]) in str(refused) else f"{case['values']}: {case['says']!r} isn't in: {refused}"
            )
    return f"{case['values']} aren't refused"


def _edges(renderings: Iterable[Rendering]) -> Iterator[str]:
    """What Envoy, and the table of limits, say of the edges' configurations; of those that are alike once."""
    configurations = set()
    for rendering in renderings:
        for name in ("edge.yaml", "operators.yaml"):
            for document in rendering.documents:
                if text := document.get("data", {}).get(name):
                    configurations.add(_on_this_machine(text))
                    if name == "edge.yaml" and (difference := program.unlike_the_table(text, rendering.documents)):
                        yield f"{rendering.name}: {difference}"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from (fault for fault in pool.map(_envoys_fault, sorted(configurations)) if fault)


def _envoys_fault(configuration: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(configuration)
        file.flush()
        arguments = ["--mode", "validate", "--log-level", "error", "--config-path", file.name]
        done = subprocess.run([_PROGRAMS / "envoy", *arguments], capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


def _on_this_machine(configuration: str) -> str:
    """With its files where they are here."""
    places = {"/etc/eco2/": f"{CHART / 'files'}/", "/etc/eco2-page/": f"{CHART / 'files' / 'operators'}/"}
    places["/etc/eco2-app"] = str(CHART / "files" / "app")
    for there, here in places.items():
        configuration = configuration.replace(there, here)
    return configuration


if __name__ == "__main__":
    main()
