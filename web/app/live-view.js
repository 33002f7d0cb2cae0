// One scan: while it runs its photo, its stages, what it shows as soon as that is known, and the answer as it is written;
// then its card.

import { call, deleteScan } from "./api.js";
import { card, reward } from "./card.js";
import { announce, button, focusOn, h } from "./dom.js";
import { t } from "./language.js";
import { framed } from "./objects.js";
import { failure, notice, told } from "./troubles.js";
import { watch } from "./watch.js";

const STAGES = ["vision", "rules", "answer", "done"];
const NOTICED_FAILURES = 3; // of the connection, in a row; before that it reconnects in silence
const shots = new Map();

// Shows a photo of this device until the clean copy of it is there.
export function showPhoto(scanId, blob) {
  shots.set(scanId, blob);
}

export async function scanDetail({ path: [scanId], signal, go }) {
  const scan = await call("GET", `/v1/scans/${encodeURIComponent(scanId)}`, { signal });
  const body = h("div", { class: "outcome" });
  const photo = framed(shot(scan, signal));
  const element = h("div", { class: "detail" }, photo.element, body, actions(scan, go));
  if (isRunning(scan)) follow(scan, body, photo, signal, go).catch((error) => signal.aborted || body.replaceChildren(notice(told(error))));
  else ended(scan, body, photo, signal, go);
  return element;
}

function isRunning({ state }) {
  return ["STATE_AWAITING_UPLOAD", "STATE_QUEUED", "STATE_RUNNING"].includes(state);
}

function shot({ scan_id: id, image_url: address }, signal) {
  const blob = shots.get(id);
  const own = blob ? URL.createObjectURL(blob) : "";
  if (own) signal.addEventListener("abort", () => URL.revokeObjectURL(own), { once: true });
  const picture = h("img", { class: "shot", alt: t("scan.photo"), src: own || address });
  picture.onerror = () => picture.classList.add("missing");
  return picture;
}

function actions({ scan_id: id }, go) {
  const trouble = h("div");
  const remove = button("quiet", t("delete"), async () => {
    if (!confirm(t("history.sure"))) return;
    trouble.replaceChildren();
    await deleteScan(id).then(() => go("#/history"), (error) => trouble.replaceChildren(notice(told(error))));
  });
  return [h("div", { class: "row actions" }, h("a", { class: "main", href: "#/" }, t("scan.next")), remove), trouble];
}

async function follow(first, body, photo, signal, go) {
  const live = running(first, go);
  body.replaceChildren(live.element);
  let last = first;
  for await (const scan of watch(first.scan_id, { signal, onBroken: live.broken })) {
    live.update(scan);
    photo.show(inPhoto(scan));
    last = scan;
  }
  const end = ended(last, body, photo, signal, go);
  announce(t("live.ready"));
  focusOn(end.querySelector("h1") ?? end);
}

function ended(scan, body, photo, signal, go) {
  const end = ending(scan, go);
  photo.show(inPhoto(scan));
  body.replaceChildren(end);
  if (scan.state === "STATE_SUCCEEDED" && !scan.reward) lateReward(scan, end, signal).catch(() => {}); // it is there on the next visit
  return end;
}

// What boxes can be drawn around; those of a video lie in its frames.
function inPhoto({ classification }) {
  return (classification?.objects ?? []).filter((one) => one.box && !one.frame);
}

// Adds what the scan has earned to its card, unless a reply has put another one there meanwhile.
async function lateReward({ scan_id: id, version }, end, signal) {
  const scan = await call("GET", `/v1/scans/${encodeURIComponent(id)}?wait=20s&after_version=${version}`, { signal });
  const earned = reward(scan.reward);
  if (!earned || !end.isConnected) return;
  end.querySelector(".correction").before(earned);
  announce(earned.textContent);
}

function running(scan, go) {
  const title = h("h1", { tabindex: -1 }, t("live.title"));
  const bar = h("progress", { max: 100, value: 0, "aria-label": t("live.title") });
  const message = h("p", { class: "hint", "aria-live": "polite" });
  const lines = STAGES.slice(0, 3).map((stage) => h("li", { "data-stage": stage }, t(`live.${stage}`)));
  const draft = h("p", { class: "draft", "aria-hidden": "true" });
  const lost = h("p", { class: "hint", role: "status" });
  const cancel = button("quiet", t("live.cancel"), async () => {
    cancel.disabled = true;
    await call("POST", `/v1/scans/${scan.scan_id}:cancel`, { body: {} }).catch(() => (cancel.disabled = false));
  });
  const element = h("section", { class: "live" }, title, bar, message, h("ol", { class: "stages" }, lines), draft, lost, cancel);
  return {
    element,
    broken: (failures) => (lost.textContent = failures >= NOTICED_FAILURES ? t("live.reconnecting") : ""),
    update({ progress = {}, classification, answer_draft: text }) {
      bar.value = progress.percent ?? bar.value;
      if (progress.message && progress.message !== message.textContent) message.textContent = progress.message;
      const at = STAGES.indexOf(progress.stage);
      lines.forEach((line, index) => {
        line.className = index < at ? "over" : index === at ? "now" : "";
        if (index === at) line.setAttribute("aria-current", "step");
        else line.removeAttribute("aria-current");
      });
      if (classification?.display_name && title.textContent !== classification.display_name) {
        title.textContent = classification.display_name;
        announce(classification.display_name);
      }
      draft.textContent = text ?? "";
    },
  };
}

function ending(scan, go) {
  if (scan.state === "STATE_SUCCEEDED") return card(scan);
  const { text, advice } =
    scan.state === "STATE_FAILED" ? failure(scan.error) : { text: t(scan.state === "STATE_CANCELLED" ? "live.cancelled" : "live.expired"), advice: "" };
  const blob = shots.get(scan.scan_id);
  return h("section", { class: "card" }, h("h1", { tabindex: -1 }, t("live.ended")), notice({ text, advice }, [[t(blob ? "scan.otherPhoto" : "scan.next"), () => go("#/")]]));
}
