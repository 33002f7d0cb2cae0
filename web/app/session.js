// Who one is: a guest from the first call on, a user after signing in. Keeps the session's tokens and refreshes them.
//
// A refresh token is good once, and used twice it ends the session: so tabs take turns, and a refresh whose reply was
// lost is repeated with the request_id that was kept before it was sent.

import { ApiError, send } from "./http.js";
import { remember, remembered, uuid } from "./storage.js";

const EARLY_SECONDS = 60;
const changed = new EventTarget();

export function session() {
  return remembered("session");
}

// Calls back whenever somebody else is signed in, and with "ended" if the session was ended by the service.
export function onSession(listener) {
  changed.addEventListener("session", (event) => listener(event.detail));
}

export function adopt(tokens) {
  const before = session();
  remember("session", tokens && { ...tokens, refreshRequest: null });
  if (before?.user_id !== tokens?.user_id || before?.guest !== tokens?.guest) tell("changed");
}

// An access token that is still good for a while. The first call makes a guest.
export async function accessToken() {
  const held = session();
  if (held && isGood(held)) return held.access_token;
  return exclusively(async () => {
    const now = session(); // another tab may have been faster
    if (now && isGood(now)) return now.access_token;
    if (now) await refresh(now);
    if (!session()) adopt(await send("POST", "/v1/auth/guest", { body: {} }));
    return session().access_token;
  });
}

// The edge says that the token isn't good, whatever its date says.
export function distrust(token) {
  const held = session();
  if (held?.access_token === token) remember("session", { ...held, access_token_expire_time: "" });
}

export async function signOut() {
  const held = session();
  if (held) await send("POST", "/v1/auth/token:revoke", { body: { refresh_token: held.refresh_token } });
  adopt(null);
}

function isGood(held) {
  return Date.parse(held.access_token_expire_time) - Date.now() > EARLY_SECONDS * 1000;
}

async function refresh(held) {
  const request_id = held.refreshRequest ?? uuid();
  remember("session", { ...held, refreshRequest: request_id });
  try {
    adopt(await send("POST", "/v1/auth/token:refresh", { body: { refresh_token: held.refresh_token, request_id } }));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 429) throw error;
    adopt(null);
    tell("ended");
  }
}

function tell(what) {
  changed.dispatchEvent(new CustomEvent("session", { detail: what }));
}

let last = Promise.resolve();

// One at a time: across tabs where the browser can, else in this one.
function exclusively(work) {
  if (navigator.locks) return navigator.locks.request("eco2.session", work);
  last = last.then(work, work);
  return last;
}
