"""`python -m monitoring FOLDER`: writes rules.yaml and dashboards/*.json. `make gen` calls this."""

import sys
from pathlib import Path

from monitoring import dashboards, rules
from monitoring.durations import TimeScale

folder = Path(sys.argv[1])
(folder / "dashboards").mkdir(parents=True, exist_ok=True)
(folder / "rules.yaml").write_text(rules.text(TimeScale()), encoding="utf-8")
for name, text in dashboards.texts().items():
    (folder / "dashboards" / f"{name}.json").write_text(text, encoding="utf-8")
