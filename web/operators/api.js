// Operators' services as JSON over this page's own origin.

import { language } from "./words.js";

const OPERATIONS = "eco2.scan.v1.OperationsService";
const KEPT = "eco2-operator-token";

// What a call was refused with: its reason, and a text in the page's language.
export class Refused extends Error {
  constructor(status) {
    const details = status.details ?? [];
    const told = details.find((detail) => detail.locale === language());
    super(told?.message ?? status.message ?? "");
    this.reason = details.find((detail) => detail.reason)?.reason ?? "";
  }
}

// The token is this tab's alone. A link may bring it, in the part of an address that no server sees.
export const session = {
  get token() {
    return sessionStorage.getItem(KEPT) ?? "";
  },
  begin(token) {
    sessionStorage.setItem(KEPT, token.trim());
  },
  end() {
    sessionStorage.removeItem(KEPT);
  },
  takeFromLink() {
    const brought = location.hash.match(/^#token=(.+)$/);
    if (!brought) return;
    session.begin(brought[1]);
    history.replaceState(null, "", location.pathname);
  },
};

export async function call(method, request = {}, signal = undefined, service = OPERATIONS) {
  const response = await fetch(`/${service}/${method}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${session.token}`,
      "content-type": "application/json",
      "accept-language": language(),
    },
    body: JSON.stringify(request),
    signal,
  });
  const reply = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(reply);
  return reply;
}

let settings;

// Where traces can be looked at; empty if nowhere.
export async function traceUrl(traceId) {
  settings ??= fetch("/settings.json").then((response) => response.json()).catch((error) => {
    settings = undefined; // asked again the next time
    throw error;
  });
  return (await settings).trace_url.replace("{trace_id}", traceId);
}
