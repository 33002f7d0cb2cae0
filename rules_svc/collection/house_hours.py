"""When a house puts something out: days of the week and times of day, told to people and as `evenings` reads them."""

from dataclasses import dataclass

from mesh.locale import Text
from rules_svc.collection.evenings import ALWAYS

_DAYS = (
    ("월", "Monday", "Mo"), ("화", "Tuesday", "Tu"), ("수", "Wednesday", "We"), ("목", "Thursday", "Th"),
    ("금", "Friday", "Fr"), ("토", "Saturday", "Sa"), ("일", "Sunday", "Su"),
)  # fmt: skip
_ANY_TIME = Text("언제든지 내놓을 수 있어요.", "Any time.")


@dataclass(frozen=True, slots=True)
class HouseHours:
    """The hours of one kind of waste, the same every week.

    Attributes:
        days: Days on which they begin, Monday is 0; empty for every day.
        opens: From when, "18:00"; empty if from morning to night, or all the time if on every day.
        closes: Until when, on the next day if it isn't after `opens`, "24:00" at the latest; empty if no end is set.
    """

    days: tuple[int, ...] = ()
    opens: str = ""
    closes: str = ""

    @property
    def daily(self) -> bool:
        """Whether they are the same every day."""
        return len(set(self.days)) in (0, len(_DAYS))

    def written(self) -> str:
        """As OpenStreetMap writes opening hours."""
        if self.daily and not self.opens:
            return ALWAYS
        days = "Mo-Su" if self.daily else ",".join(_DAYS[day][2] for day in sorted(set(self.days)))
        times = f"{self.opens}-{self.closes}" if self.closes else f"{self.opens}+"
        return f"{days} {times}" if self.opens else days

    def told(self) -> Text:
        """As people read them."""
        if self.daily and not self.opens:
            return _ANY_TIME
        ko, en = self._days_told()
        if not self.opens:
            return Text(ko, en)
        if not self.closes:
            return Text(f"{ko} {self.opens}부터", f"{en} from {self.opens}")
        overnight = self.closes <= self.opens
        return Text(
            f"{ko} {self.opens}~{'다음 날 ' * overnight}{self.closes}",
            f"{en}, {self.opens} to {self.closes}{' the next day' * overnight}",
        )

    def _days_told(self) -> tuple[str, str]:
        if self.daily:
            return "매일", "Every day"
        days = [_DAYS[day] for day in sorted(set(self.days))]
        *others, last = [english for _, english, _ in days]
        english = f"{', '.join(others)} and {last}" if others else last
        return f"매주 {'·'.join(korean for korean, _, _ in days)}요일", f"Every {english}"
