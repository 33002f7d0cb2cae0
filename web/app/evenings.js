// The next evenings on which something goes out, as Korea counts them: after midnight it is the evening before until five.

import { h } from "./dom.js";
import { day, t } from "./language.js";

const KOREA = "Asia/Seoul";
const NIGHT_HOURS = 5;
const DAY_MS = 86_400_000;
const MOST = 4;

function dateInKorea(milliseconds) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: KOREA }).format(milliseconds - NIGHT_HOURS * 3_600_000);
}

// "tonight", "tomorrow" or the day, for a date such as 2026-11-29.
export function dayName(date, now = Date.now()) {
  if (date === dateInKorea(now)) return t("evening.tonight");
  if (date === dateInKorea(now + DAY_MS)) return t("evening.tomorrow");
  return day(`${date}T12:00:00+09:00`, { timeZone: KOREA, weekday: "short", month: "short", day: "numeric" });
}

function hour(moment) {
  return day(moment, { timeZone: KOREA, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

// Chips, the first ones of them; null if no evening is known.
export function evenings(rule, now = Date.now()) {
  const coming = (rule.evenings ?? []).filter(({ date, close_time: close }) =>
    close ? Date.parse(close) > now : date >= dateInKorea(now),
  );
  if (!coming.length) return null;
  return h("ul", { class: "evenings" }, coming.slice(0, MOST).map((each) => chip(each, now)));
}

function chip({ date, open_time: open, close_time: close }, now) {
  const isTonight = date === dateInKorea(now);
  const hours = open && close ? `${hour(open)}–${hour(close)}` : open ? t("evening.from", { hour: hour(open) }) : "";
  return h("li", { class: isTonight ? "tonight" : "" }, h("strong", {}, dayName(date, now)), hours && h("span", {}, hours));
}
