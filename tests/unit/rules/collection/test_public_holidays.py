"""What Korea's calendar costs the process that asks for it."""

import subprocess
import sys
from datetime import date

from rules_svc.collection.public_holidays import in_long_holiday, is_public_holiday


def test_no_other_countrys_calendar_is_loaded() -> None:
    """All of them take 0.6 s, in which the first user who asks for an evening would stop everybody else's calls."""
    program = (
        "import sys; from datetime import date; from rules_svc.collection.public_holidays import is_public_holiday;"
        "before = set(sys.modules); assert is_public_holiday(date(2026, 2, 17));"
        "print([name for name in sys.modules if name.startswith('holidays.countries') or name not in before])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_calendar_is_koreas_in_korean() -> None:
    """Lunar, substitute and fixed days."""
    days = [date(2026, 2, 17), date(2026, 3, 2), date(2026, 10, 9)]
    assert [is_public_holiday(day) for day in [*days, date(2026, 10, 8)]] == [True, True, True, False]
    assert in_long_holiday(date(2026, 2, 15))
