// Replies to an answer: a chip for each that settles what is open, one's own words, and "that's wrong".

import { call } from "./api.js";
import { button, h } from "./dom.js";
import { t } from "./language.js";
import { remember, remembered } from "./storage.js";
import { suggestions } from "./suggestions.js";

// Sends a reply, once however often it is sent with one requestId. Gives the scan as it is then, with what it earned, and
// a sentence to the user.
export async function replied(scanId, reply, requestId) {
  const body = { reply, request_id: requestId, may_learn: remembered("mayLearn") === true };
  const { scan, message, understood } = await call("POST", `/v1/scans/${scanId}:answer`, { body });
  if (!understood) return { scan, message, understood };
  // What it earned follows as a later version, within two seconds; the reply is taken whether or not that comes.
  const later = await call("GET", `/v1/scans/${scanId}?wait=2s&after_version=${scan.version}`).catch(() => scan);
  return { scan: later, message, understood };
}

// What the answer leaves open, as a question with chips; null if it is complete.
export function openQuestion(scan, onReply) {
  const { insufficiencies = [], choices = [] } = scan.answer ?? {};
  if (!insufficiencies.length) return null;
  return h(
    "section",
    { class: "question" },
    h("h2", {}, insufficiencies[0]),
    choices.length > 0 && h("div", { class: "row" }, choices.map((choice) => button("chip", choice, () => onReply(choice)))),
    ownWords("reply", t("reply.own"), onReply),
  );
}

// What else it may be: each with its confidence, and a press says that it is that.
export function candidates(scan, onReply) {
  const { category, candidates: all = [] } = scan.classification ?? {};
  const offered = scan.answer?.choices ?? [];
  const others = all.filter((each) => !same(each.category, category) && !offered.includes(each.display_name));
  if (!others.length) return null;
  return h(
    "div",
    { class: "candidates" },
    h("p", { class: "hint" }, t("card.orIsIt")),
    h("div", { class: "row" }, others.map((each) => button("chip", each.display_name, () => onReply(each.display_name)))),
  );
}

// "That's wrong", and what it is instead.
export function correction(onReply) {
  const consent = h("input", {
    type: "checkbox", id: "may-learn", checked: remembered("mayLearn") === true,
    onchange: () => remember("mayLearn", consent.checked),
  });
  return h(
    "details",
    { class: "correction" },
    h("summary", {}, t("reply.wrong")),
    ownWords("correction", t("reply.whatIsIt"), onReply, { suggest: true }),
    h("div", { class: "check" }, consent, h("label", { for: "may-learn" }, t("reply.mayLearn"))),
  );
}

function ownWords(id, label, onReply, { suggest = false } = {}) {
  const field = h("input", { id, type: "text", maxlength: 500, required: true, autocomplete: "off" });
  const names = suggest ? suggestions(field) : null;
  const form = h(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        if (field.value.trim()) onReply(field.value.trim());
      },
    },
    h("label", { for: id }, label),
    h("div", { class: "joined" }, field, h("button", { class: "quiet" }, t("reply.send"))),
    names,
  );
  return form;
}

function same(one, other) {
  return one?.major === other?.major && (one?.middle ?? "") === (other?.middle ?? "") && (one?.minor ?? "") === (other?.minor ?? "");
}
