// Webhooks of all scans, with what their receivers said; and another delivery.

import { call } from "./api.js";
import { button, h, link, select, table } from "./dom.js";
import { badge, span, time } from "./formats.js";
import { paging } from "./scans.js";
import { t } from "./words.js";

const STATES = ["PENDING", "DELIVERED", "EXHAUSTED", "STOPPED"];

function last(attempts) {
  const one = attempts?.at(-1);
  if (!one) return "–";
  return [one.error || `http ${one.status}`, `, ${span(one.duration)}`, h("br"), time(one.time)];
}

export function columns() {
  return [t("scanAndWebhook"), t("event"), t("state"), t("url"), t("lastTry"), t("nextTry"), t("actions")];
}

export function rows(webhooks, act) {
  return (webhooks ?? []).map((one) => {
    const again = (event) => act(event.currentTarget, () => call("RedeliverWebhook", { webhook_id: one.webhook_id }), () => t("redelivered"));
    const pressed = button(t("redeliver"), `redeliver ${one.webhook_id}`, again);
    pressed.setAttribute("aria-label", `${t("redeliver")} ${one.webhook_id}`);
    return [
      [link(one.scan_id, `#/scan?id=${one.scan_id}`, { class: "id" }), h("br"), h("span", { class: "id" }, one.webhook_id)],
      one.event,
      badge(one.state),
      h("span", { class: "address" }, one.url),
      last(one.attempts),
      one.next_time ? time(one.next_time) : "–",
      pressed,
    ];
  });
}

export const webhooks = {
  title: "webhooks",
  filters: (params, search) =>
    h("form", { class: "filters", onchange: (event) => search(event.currentTarget) },
      select("state", t("state"), [["", t("any")], ...STATES.map((name) => [`STATE_${name}`, t(name)])], params.get("state"))),
  load: (params, signal) => call("ListWebhooks", {
    state: params.get("state") || undefined,
    page_token: params.get("page") || undefined,
  }, signal),
  show: (reply, params, act) => [
    table(t("webhooks"), columns(), rows(reply.webhooks, act), t("noWebhooks")),
    paging("webhooks", params, reply),
  ],
};
