"""What people read in their calendars."""

from collections.abc import Mapping
from types import MappingProxyType

from mesh.locale import Locale

CALENDAR_NAME: Mapping[Locale, str] = MappingProxyType({Locale.KO: "Eco² 분리배출", Locale.EN: "Eco² waste"})
PUT_OUT: Mapping[Locale, str] = MappingProxyType({Locale.KO: "내놓을 것: {things}", Locale.EN: "Put out: {things}"})
PUT_OUT_NOW: Mapping[Locale, str] = MappingProxyType(
    {Locale.KO: "{thing}, 내놓을 시간이에요", Locale.EN: "Time to put out: {thing}"}
)
COLLECTED: Mapping[Locale, str] = MappingProxyType({Locale.KO: "배출일: {things}", Locale.EN: "Collected: {things}"})
AS_OF: Mapping[Locale, str] = MappingProxyType({Locale.KO: "{day} 자료예요.", Locale.EN: "As of {day}."})
UNDATED: Mapping[Locale, str] = MappingProxyType(
    {Locale.KO: "날짜를 알 수 없는 자료예요.", Locale.EN: "From a source without a date."}
)
