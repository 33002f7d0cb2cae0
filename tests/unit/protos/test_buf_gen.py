"""The template for other languages' stubs. Its plugins run at buf.build; here one of this machine takes their place."""

import os
import subprocess
import sysconfig
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
PROGRAMS = sysconfig.get_path("scripts")


def template() -> dict[str, object]:
    """What `buf generate` reads."""
    content: dict[str, object] = yaml.safe_load((ROOT / "buf.gen.yaml").read_text("utf-8"))
    return content


def test_all_four_languages_have_their_plugins() -> None:
    """Messages and calls of each, in a folder that isn't committed."""
    plugins = template()["plugins"]
    assert isinstance(plugins, list)
    assert {each["out"] for each in plugins} == {
        f"var/stubs/{name}" for name in ("kotlin", "swift", "typescript", "go")
    }
    assert all(each["remote"].startswith("buf.build/") for each in plugins)


def test_buf_takes_everything_but_the_plugins(tmp_path: Path) -> None:
    """Inputs, modules and managed options; what is made is every proto of ours."""
    local = template() | {"plugins": [{"local": "protoc-gen-mypy", "out": str(tmp_path), "opt": "quiet"}]}
    file = tmp_path / "buf.gen.yaml"
    file.write_text(yaml.safe_dump(local), encoding="utf-8")
    environment = os.environ | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}

    done = subprocess.run(
        [f"{PROGRAMS}/buf", "generate", "--template", file], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    ours = {path.relative_to(ROOT / "protos").with_suffix("") for path in (ROOT / "protos").rglob("*.proto")}
    made = {Path(str(path.relative_to(tmp_path)).removesuffix("_pb2.pyi")) for path in tmp_path.rglob("*_pb2.pyi")}
    assert ours <= made
