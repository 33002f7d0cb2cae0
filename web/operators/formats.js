// Times, durations, money and names as people read them, from protobuf's JSON.

import { h } from "./dom.js";
import { language, t } from "./words.js";

export function time(iso) {
  if (!iso) return "–";
  const text = new Intl.DateTimeFormat(language(), { dateStyle: "short", timeStyle: "medium" }).format(new Date(iso));
  return h("time", { datetime: iso, title: iso }, text);
}

// Seconds of a Duration, "1.250s".
export function seconds(duration) {
  return duration ? Number.parseFloat(duration) : 0;
}

export function span(duration) {
  if (duration === undefined) return "–";
  const all = seconds(duration);
  if (all < 1) return `${Math.round(all * 1000)} ms`;
  if (all < 60) return `${all.toFixed(1)} s`;
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => all >= size);
  const [[size, name], [less, lesser]] = units.slice(first, first + 2);
  return `${Math.floor(all / size)} ${name} ${Math.floor((all % size) / less)} ${lesser}`;
}

// Of millionths of a US dollar: cents, or all of it where that would be nothing.
export function money(micro) {
  const dollars = Number(micro ?? 0) / 1e6;
  return `$${dollars.toFixed(dollars && dollars < 1 ? 6 : 2)}`;
}

export function count(number) {
  return new Intl.NumberFormat(language()).format(Number(number ?? 0));
}

// A state or an outcome, without the enum's prefix, as a badge that says the same by its text.
export function badge(value) {
  const name = (value ?? "").replace(/^(STATE|OUTCOME)_/, "");
  return h("span", { class: `badge ${name.toLowerCase()}` }, t(name));
}

// "" for none.
export function reason(value) {
  const name = (value ?? "").replace(/^ERROR_REASON_/, "");
  return name === "UNSPECIFIED" ? "" : name;
}

// The reason in a google.rpc.Status, and its text in the page's language.
export function failure(status) {
  const details = status?.details ?? [];
  const told = details.find((detail) => detail.locale === language());
  return { reason: details.find((detail) => detail.reason)?.reason ?? "", text: told?.message ?? status?.message ?? "" };
}
