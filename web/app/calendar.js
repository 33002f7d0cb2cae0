// Reminders by one's own calendar: a secret address that a calendar app subscribes to. It is told once, so it can't be shown
// again; another one ends the former.

import { call } from "./api.js";
import { button, h } from "./dom.js";
import { language, t } from "./language.js";
import { attempt } from "./troubles.js";
import { known } from "./where.js";

export function calendarPart() {
  const trouble = h("div");
  const given = h("div", { class: "field" });
  const status = h("p", { role: "status" });
  const subscribe = attempt(trouble, async () => {
    const { region, building } = known();
    const { path } = await call("POST", "/v1/me/calendar", { body: { region, building, locale: language() } });
    const field = address(`${location.origin}${path}`, status);
    given.replaceChildren(...field);
    status.textContent = t("calendar.given");
    given.querySelector("input").focus();
  });
  const end = attempt(trouble, async () => {
    await call("DELETE", "/v1/me/calendar");
    given.replaceChildren();
    status.textContent = t("calendar.ended");
  });
  return [
    h("p", {}, t("calendar.means")),
    h("div", { class: "row" }, button("quiet", t("calendar.subscribe"), subscribe), button("quiet", t("calendar.end"), end)),
    given,
    status,
    trouble,
  ];
}

function address(text, status) {
  const field = h("input", { id: "calendar", type: "text", readonly: true, value: text, onfocus: () => field.select() });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = t("calendar.copied");
    } catch {
      field.focus(); // selected, to be copied by hand: the clipboard is closed to this page
    }
  };
  return [
    h("label", { for: "calendar" }, t("calendar.address")),
    h("div", { class: "joined" }, field, button("quiet", t("calendar.copy"), copy)),
    h("a", { href: text.replace(/^https?:/, "webcal:") }, t("calendar.open")),
  ];
}
