// What went wrong, said so that one knows what to do, with a button that does it.

import { button, h } from "./dom.js";
import { ApiError, textOf, Unreachable } from "./http.js";
import { UnusableFile } from "./job-file.js";
import { t } from "./language.js";
import { UnusablePhoto } from "./photo.js";
import { SignInFailed } from "./sign-in.js";

// What to do, by reason; where there is none the service's own text says it.
const ADVICE = {
  PHOTO_FORMAT: "advice.format",
  PHOTO_UNREADABLE: "advice.another",
  PHOTO_TRUNCATED: "advice.another",
  PHOTO_EMPTY: "advice.another",
  PHOTO_TOO_LARGE: "advice.smaller",
  PHOTO_TOO_COMPLEX: "advice.another",
  PHOTO_UNCLEAR: "advice.closer",
  PHOTO_NOT_FOUND: "advice.again",
  NOT_WASTE: "advice.waste",
  BUILDING_UNKNOWN: "advice.building",
  SESSION_ENDED: "advice.signIn",
  SCAN_BACKLOG: "advice.busy",
  RATE_LIMIT: "advice.busy",
  INTERNAL: "advice.ours",
  UNAVAILABLE: "advice.away",
  DEADLINE_EXCEEDED: "advice.away",
};

// {text, advice} for an error of any kind.
export function told(error) {
  if (error instanceof Unreachable) return { text: t(navigator.onLine ? "trouble.unreachable" : "trouble.offline"), advice: "" };
  if (error instanceof SignInFailed) return { text: t("trouble.signIn"), advice: t("advice.signIn") };
  if (error instanceof UnusablePhoto) return { text: t(`trouble.${error.reason}`), advice: t(ADVICE[error.reason]) };
  if (error instanceof UnusableFile) return { text: t(`trouble.${error.reason}`), advice: t(`advice.${error.kind}`) };
  if (error instanceof ApiError) return { text: error.text || t("trouble.other"), advice: advised(error.reason) };
  console.error(error);
  return { text: t("trouble.page"), advice: t("advice.reload") };
}

// The same for a scan that failed.
export function failure(status) {
  const reason = (status?.details ?? []).find((each) => each.reason)?.reason;
  return { text: textOf(status) || t("trouble.other"), advice: advised(reason) };
}

function advised(reason) {
  return reason in ADVICE ? t(ADVICE[reason]) : "";
}

// A notice that a screen reader says at once. `actions` are pairs of a text and what its button does.
export function notice({ text, advice }, actions = []) {
  const buttons = actions.map(([label, act], index) => button(index ? "quiet" : "main", label, act));
  return h(
    "div",
    { class: "notice", role: "alert" },
    h("p", { class: "strong" }, text),
    advice && h("p", {}, advice),
    buttons.length > 0 && h("div", { class: "row" }, buttons),
  );
}

// Runs what a button does; what goes wrong is said in `place`.
export function attempt(place, work) {
  return async () => {
    place.replaceChildren();
    try {
      await work();
    } catch (error) {
      place.replaceChildren(notice(told(error)));
    }
  };
}
