// Choose a photo, say where one lives, ask something, send. A photo that couldn't be sent is still here the next time.

import { announce, button, h } from "./dom.js";
import { note } from "./example.js";
import { icon } from "./icons.js";
import { language, t } from "./language.js";
import { showPhoto } from "./live-view.js";
import { forget, pending } from "./pending.js";
import { prepared } from "./photo.js";
import { uuid } from "./storage.js";
import { notice, told } from "./troubles.js";
import { started } from "./upload.js";
import { known, whereField } from "./where.js";

const ACCEPTED = "image/jpeg,image/png,image/webp,image/heic,image/heif,.heic,.heif";

export async function scanView({ signal, go }) {
  const finder = viewfinder();
  const trouble = h("div");
  const question = h("input", { id: "question", type: "text", maxlength: 500, placeholder: t("scan.questionExample"), autocomplete: "off" });
  const send = h("button", { class: "main wide", hidden: true }, t("scan.send"));
  let upload = null;

  const choose = async (file) => {
    trouble.replaceChildren();
    try {
      upload = { requestId: uuid(), ...(await prepared(file)) };
      finder.show(upload.blob);
      send.hidden = false;
      send.focus();
      announce(t("scan.chosen"));
    } catch (error) {
      trouble.replaceChildren(notice(told(error)));
    }
  };

  const submit = async (event) => {
    event?.preventDefault();
    if (!upload) return finder.open();
    if (send.disabled) return;
    trouble.replaceChildren();
    send.disabled = true;
    const user_input = question.value.trim();
    // What is asked otherwise is another scan, and needs another id.
    const fields = { ...known(), locale: language(), ...(user_input ? { user_input } : {}) };
    if (upload.fields && JSON.stringify(upload.fields) !== JSON.stringify(fields)) upload.requestId = uuid();
    upload = { ...upload, fields };
    try {
      const scanId = await started(upload, { signal, onProgress: finder.progress });
      showPhoto(scanId, upload.blob);
      go(`#/scan/${scanId}`);
    } catch (error) {
      if (signal.aborted) return;
      send.disabled = false;
      finder.progress(null);
      trouble.replaceChildren(notice(told(error), [[t("again"), submit], [t("scan.other"), discard]]));
      if (!navigator.onLine) addEventListener("online", () => upload && submit(), { once: true, signal });
    }
  };

  const discard = () => {
    upload = null;
    forget();
    trouble.replaceChildren();
    finder.clear();
    send.hidden = true;
  };

  finder.listen(choose, signal);
  const kept = await pending();
  if (kept) {
    upload = kept;
    question.value = kept.fields?.user_input ?? "";
    finder.show(kept.blob);
    send.hidden = false;
    trouble.replaceChildren(notice({ text: t("scan.kept"), advice: "" }, [[t("scan.send"), submit], [t("scan.discard"), discard]]));
  }
  return h(
    "form",
    { class: "scan", onsubmit: submit },
    h("header", { class: "lead" }, h("h1", {}, t("scan.title")), h("p", {}, t("scan.lead"))),
    h("div", { class: "finder-column" }, finder.element, send, trouble),
    h(
      "div",
      { class: "fields" },
      h("div", { class: "field" }, h("label", { for: "question" }, t("scan.question")), question),
      whereField(),
      h("p", { class: "hint" }, t("scan.privacy")),
      button("quiet", t("scan.example"), async () => choose(await note())),
    ),
  );
}

// Where a photo is taken, chosen, dropped or pasted, and then shown.
function viewfinder() {
  const camera = h("input", { type: "file", accept: ACCEPTED, capture: "environment", hidden: true, "aria-hidden": "true", tabindex: -1 });
  const album = h("input", { type: "file", accept: ACCEPTED, hidden: true, "aria-hidden": "true", tabindex: -1 });
  const picture = h("img", { class: "shot", alt: t("scan.photo"), hidden: true });
  const bar = h("progress", { max: 1, hidden: true, "aria-label": t("live.upload") });
  const isHandheld = matchMedia("(pointer: coarse)").matches; // else there is no camera to point at things
  const take = isHandheld && button("main", [icon("camera"), t("scan.take")], () => camera.click());
  const pick = button(isHandheld ? "quiet" : "main", t("scan.pick"), () => album.click());
  const invitation = h("div", { class: "invitation" }, h("p", {}, t("scan.drop")), h("p", { class: "hint" }, t("scan.formats")));
  const element = h("div", { class: "finder" }, picture, h("div", { class: "row" }, take, pick), invitation, bar, camera, album);
  let address = "";
  return {
    element,
    open: () => (take || pick).click(),
    show(blob) {
      URL.revokeObjectURL(address);
      address = picture.src = URL.createObjectURL(blob);
      picture.onerror = () => (picture.hidden = true); // a HEIC that only the service can read
      picture.hidden = false;
      element.classList.add("filled");
      invitation.hidden = true;
    },
    clear() {
      picture.hidden = true;
      invitation.hidden = false;
      element.classList.remove("filled");
    },
    progress(share) {
      bar.hidden = share === null;
      bar.value = share ?? 0;
    },
    listen(choose, signal) {
      for (const input of [camera, album]) {
        input.addEventListener("change", () => {
          if (input.files[0]) choose(input.files[0]);
          input.value = ""; // or the same photo couldn't be chosen again
        });
      }
      const over = (isOver) => (event) => {
        event.preventDefault();
        element.classList.toggle("over", isOver);
      };
      addEventListener("dragover", over(true), { signal });
      addEventListener("dragleave", over(false), { signal });
      addEventListener("drop", (event) => (over(false)(event), event.dataTransfer.files[0] && choose(event.dataTransfer.files[0])), { signal });
      addEventListener("paste", (event) => event.clipboardData.files[0] && choose(event.clipboardData.files[0]), { signal });
      signal.addEventListener("abort", () => URL.revokeObjectURL(address), { once: true });
    },
  };
}
