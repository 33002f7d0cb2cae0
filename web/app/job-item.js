// One job in the list: what it is, how far it has come, and what can be done with it. It follows its job to the end.

import { call, waited } from "./api.js";
import { announce, button, h } from "./dom.js";
import { day, percent, t } from "./language.js";
import { outgoingOf } from "./outgoing.js";
import { failure, notice, told } from "./troubles.js";

const KINDS = ["KIND_BATCH", "KIND_EXPORT", "KIND_VIDEO", "KIND_MESSAGE"];
const OPEN = ["STATE_AWAITING_UPLOAD", "STATE_QUEUED", "STATE_RUNNING"];
const POLL_SECONDS = 2;
const LONGEST_PAUSE_SECONDS = 30; // while the service is away
const MINUTES = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };

// `onGone` is told when the job is no more.
export function jobItem(first, { signal, onGone }) {
  const { job_id: id } = first;
  const name = t(`jobs.${KINDS.includes(first.kind) ? first.kind : "KIND_OTHER"}`);
  const title = h("h3", { tabindex: -1 }, name);
  const state = h("p", { class: "job-state" });
  const bar = h("progress", { max: 100, "aria-label": name });
  const about = h("div");
  const trouble = h("div");
  let isBusy = false; // a disabled button would lose the focus
  const act = (work) => async () => {
    if (isBusy) return;
    isBusy = true;
    trouble.replaceChildren();
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) trouble.replaceChildren(notice(told(error)));
    } finally {
      isBusy = false;
    }
  };
  const label = (does) => ({ "aria-label": `${name}: ${does}` });
  const download = button("main", t("jobs.download"), act(async () => saved(show(await read(id, signal)))), label(t("jobs.download")));
  const scan = h("a", { class: "main", href: "#/" }, t("jobs.scan"));
  const cancel = button("quiet", t("jobs.cancel"), act(async () => {
    outgoingOf(id)?.stop();
    show(await call("POST", `/v1/jobs/${id}:cancel`, { body: {}, signal }));
  }), label(t("jobs.cancel")));
  const remove = button("quiet", t("delete"), act(async () => {
    if (!confirm(t("jobs.sure"))) return;
    outgoingOf(id)?.stop();
    await call("DELETE", `/v1/jobs/${id}`).catch((error) => error.status === 404 || Promise.reject(error));
    announce(t("jobs.deleted", { name }));
    gone();
  }), label(t("delete")));
  const buttons = h("div", { class: "row" }, download, scan, cancel, remove);
  const when = h("span", { class: "hint" }, day(first.create_time, MINUTES));
  const element = h("li", { class: "job" }, h("div", { class: "job-name" }, title, when), state, bar, about, trouble, buttons);
  let job = first;

  const gone = () => {
    element.remove();
    onGone();
  };
  const show = (next) => {
    job = next;
    const upload = outgoingOf(id);
    const isOpen = OPEN.includes(job.state);
    const focused = document.activeElement;
    element.dataset.state = job.state;
    state.textContent = upload ? t("jobs.uploading", { share: percent(upload.share) }) : stateOf(job, isOpen);
    bar.hidden = !isOpen;
    bar.value = upload ? upload.share * 100 : (job.percent ?? 0);
    about.replaceChildren(...outcome(job));
    download.hidden = !job.download_url;
    scan.hidden = !job.video_result?.scan_id;
    scan.href = `#/scan/${job.video_result?.scan_id}`;
    cancel.hidden = !isOpen;
    if (focused !== document.body && element.contains(focused) && focused.hidden) title.focus();
    return job;
  };
  const uploading = () => {
    const upload = outgoingOf(id);
    trouble.replaceChildren(...(upload?.error ? [notice(told(upload.error), [[t("again"), upload.again]])] : []));
    show(job);
  };
  const follow = async () => {
    for (let pause = POLL_SECONDS; OPEN.includes(job.state); ) {
      await waited(pause, signal);
      try {
        show(await read(id, signal));
        pause = POLL_SECONDS;
      } catch (error) {
        if (signal.aborted) throw error;
        if (error.status === 404) return gone();
        pause = Math.min(pause * 2, LONGEST_PAUSE_SECONDS);
      }
    }
    announce(`${name}: ${job.message}`);
  };
  if (outgoingOf(id)) outgoingOf(id).onchange = uploading;
  uploading();
  if (OPEN.includes(job.state)) follow().catch((error) => signal.aborted || console.error(error));
  return element;
}

function read(id, signal) {
  return call("GET", `/v1/jobs/${id}`, { signal });
}

// Each reading of a job has a fresh address of its file, which says itself that it is to be saved.
function saved({ download_url: address }) {
  if (address) h("a", { href: address, download: "" }).click();
}

function stateOf({ message = "", percent: reached, state }, isOpen) {
  const text = message || t(`state.${state.replace("STATE_", "")}`);
  return isOpen && reached ? `${text} · ${percent(reached / 100)}` : text;
}

// What came of it: why it failed, or what is in its file.
function outcome(job) {
  if (job.state === "STATE_FAILED") {
    const { text, advice } = failure(job.error);
    return [h("p", { class: "strong" }, text), advice && h("p", {}, advice)].filter(Boolean);
  }
  const { batch_result: batch, export_result: history } = job;
  const facts = [
    batch && t("jobs.rows", { succeeded: batch.succeeded ?? 0, failed: batch.failed ?? 0 }),
    history && t("jobs.scans", { count: history.scans ?? 0 }),
  ];
  return facts.filter(Boolean).map((fact) => h("p", { class: "hint" }, fact));
}
