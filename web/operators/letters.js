// Dead letters: scans and client jobs that failed for good, and rewards that couldn't be had; another try, or set aside.

import { call } from "./api.js";
import { button, h, link, select, table } from "./dom.js";
import { badge, count, failure, money, time } from "./formats.js";
import { paging } from "./scans.js";
import { t } from "./words.js";

const STAGES = ["vision", "rules", "answer", "reward", "run"];
const OF_SCANS = ["scan", "reward"];
const STATES = ["DEAD", "ARCHIVED"];
const AT_ONCE = 50;

// The buttons of one letter.
export function actions({ scan_id, state }, act) {
  const replay = (event) => act(event.currentTarget, () => call("ReplayScan", { scan_id }), ({ stage }) => t("replayed", t(stage)));
  const archive = (event) => act(event.currentTarget, () => call("ArchiveScan", { scan_id }), () => t("archived"));
  const named = (one, does) => { one.setAttribute("aria-label", `${does} ${scan_id}`); return one; };
  return [
    named(button(t("replay"), `replay ${scan_id}`, replay), t("replay")),
    " ",
    state === "STATE_ARCHIVED" ? "" : named(button(t("archive"), `archive ${scan_id}`, archive), t("archive")),
  ];
}

// Asks once more, since this may set off many calls that cost.
function replayAll(params, act) {
  const filter = { stage: params.get("stage") || undefined, state: params.get("state") || undefined, max_count: AT_ONCE };
  const dialog = h("dialog", { "aria-labelledby": "sure" },
    h("form", { method: "dialog" },
      h("p", { id: "sure" }, t("replayAllSure", AT_ONCE)),
      h("button", { class: "main", value: "yes" }, t("replay")), " ",
      h("button", { class: "quiet", value: "", autofocus: true }, t("leave"))));
  const opener = button(t("replayAll", AT_ONCE), "replay all", () => {
    dialog.returnValue = ""; // where Esc leaves the last answer as it was, it would be a yes again
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "yes") act(opener, () => call("ReplayDeadLetters", filter), ({ replayed_count: many }) => t("replayedMany", many ?? 0));
  });
  return [opener, dialog];
}

export const letters = {
  title: "letters",
  filters: (params, search) =>
    h("form", { class: "filters", onchange: (event) => search(event.currentTarget) },
      select("stage", t("stage"), [["", t("any")], ...STAGES.map((name) => [name, t(name)])], params.get("stage")),
      select("state", t("state"), STATES.map((name) => [`STATE_${name}`, t(name)]), params.get("state") ?? "STATE_DEAD")),
  load: (params, signal) => call("ListDeadLetters", {
    stage: params.get("stage") || undefined,
    state: params.get("state") || undefined,
    page_token: params.get("page") || undefined,
  }, signal),
  show(reply, params, act) {
    const rows = (reply.dead_letters ?? []).map((letter) => {
      const { reason, text } = failure(letter.error);
      return [
        // Only scans have a timeline.
        OF_SCANS.includes(letter.kind) ? link(letter.scan_id, `#/scan?id=${letter.scan_id}`, { class: "id" }) : h("span", { class: "id" }, letter.scan_id),
        t(letter.kind),
        letter.user,
        t(letter.stage),
        badge(letter.state),
        h("span", { class: "prose" }, h("span", { class: "reason" }, reason), " ", text),
        count(letter.attempts),
        count(letter.replays),
        time(letter.dead_time),
        money(letter.usage?.cost_micro_usd),
        actions(letter, act),
      ];
    });
    const number = (name) => ({ text: t(name), number: true });
    const columns = [t("id"), t("kind"), t("user"), t("stage"), t("state"), t("error"), number("attempts"), number("replays"), t("died"), number("cost"), t("actions")];
    return [
      rows.length ? h("p", { class: "actions" }, replayAll(params, act)) : null,
      table(t("letters"), columns, rows, t("noLetters")),
      paging("letters", params, reply),
    ];
  },
};
