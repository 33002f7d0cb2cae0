// A finished scan: what it is and how sure that is, what to do with it, what is still open, what it has earned.

import { calendarPart } from "./calendar.js";
import { portrait } from "./characters.js";
import { announce, h, section } from "./dom.js";
import { percent, t } from "./language.js";
import { things } from "./objects.js";
import { placeList } from "./place-list.js";
import { candidates, correction, openQuestion, replied } from "./reply.js";
import { ruleParts } from "./rule.js";
import { uuid } from "./storage.js";
import { notice, told } from "./troubles.js";

const UNKNOWN = "미분류";

// The card, which replaces itself whenever a reply changes the scan.
export function card(scan, { said = "" } = {}) {
  const status = h("div", { class: "said", role: "status" }, said && h("p", {}, said));
  const onReply = (reply) => answer(scan, reply, element, status);
  const element = h("article", { class: "card", "aria-labelledby": "what" }, parts(scan, status, onReply));
  return element;
}

async function answer(scan, reply, element, status, requestId = uuid()) {
  if (element.getAttribute("aria-busy") === "true") return;
  element.setAttribute("aria-busy", "true");
  status.replaceChildren(h("p", {}, t("reply.sending")));
  try {
    const { scan: changed, message } = await replied(scan.scan_id, reply, requestId);
    const next = card(changed, { said: message });
    element.replaceWith(next);
    next.querySelector("h1").focus();
    announce(message);
  } catch (error) {
    status.replaceChildren(notice(told(error), [[t("again"), () => answer(scan, reply, element, status, requestId)]]));
  } finally {
    element.removeAttribute("aria-busy");
  }
}

function parts(scan, status, onReply) {
  const { classification: seen = {}, rules = [], answer: written = {} } = scan;
  const prose = written.provider && written.provider !== "composed" ? written.how : "";
  return [
    heading(seen, scan),
    status,
    openQuestion(scan, onReply),
    candidates(scan, onReply),
    things(scan),
    rules.length > 0 && ruleParts(rules[0], { warning: seen.warning, prose }),
    rules.filter((rule) => rule.candidate).map(possible),
    !seen.objects?.length && others(seen),
    rules[0]?.evenings?.length > 0 && remind(),
    section(t("places.near"), scan.places?.length > 0 && placeList(scan.places)),
    reward(scan.reward),
    correction(onReply),
  ];
}

function heading(seen, scan) {
  const isUnknown = seen.category?.major === UNKNOWN;
  return h(
    "header",
    { class: "what" },
    h("h1", { id: "what", tabindex: -1 }, isUnknown ? t("card.unknown") : seen.display_name),
    !isUnknown && sureness(seen),
    scan.user_input && h("p", { class: "asked" }, `“${scan.user_input}”`),
  );
}

function sureness(seen) {
  if (seen.provider === "user") return h("p", { class: "hint" }, t("card.youSaid"));
  if (seen.confidence === undefined) return null;
  const bar = h("span", { class: seen.confidence < 0.5 ? "bar low" : "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", seen.confidence);
  return h("p", { class: "sure" }, h("span", {}, t("card.sure")), bar, h("span", {}, percent(seen.confidence)));
}

// While it isn't known what it is, each candidate has a rule of its own.
function possible(rule) {
  return h("details", { class: "possible" }, h("summary", {}, t("card.ifIt", { name: rule.title })), ruleParts(rule));
}

// Its next evening is known, so it can be put into one's calendar.
function remind() {
  return h("details", { class: "possible remind" }, h("summary", {}, t("calendar.remind")), calendarPart());
}

function others(seen) {
  const names = (seen.others ?? []).map((each) => each.display_name).join(", ");
  return names ? h("p", { class: "hint" }, t("card.alsoThere", { names })) : null;
}

// What a scan has earned. It may come later than the answer.
export function reward(earned) {
  if (!earned) return null;
  const { character, message, outcome } = earned;
  if (!character) return message ? h("p", { class: "hint" }, message) : null;
  return h(
    "section",
    { class: outcome === "OUTCOME_GRANTED" ? "reward fresh" : "reward" },
    portrait(character.character_id),
    h("div", {}, h("h2", {}, character.name), h("p", { class: "speech" }, character.dialogue), h("p", { class: "hint" }, message)),
  );
}
