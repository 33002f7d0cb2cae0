// Signing in with a provider: OAuth 2.0's code flow with a secret of this page's (PKCE, RFC 7636).
//
// The page goes to the provider and comes back to /callback, the one address that the service has to know of it.

import { call } from "./api.js";
import { send } from "./http.js";
import { adopt } from "./session.js";

const ATTEMPT = "eco2.sign-in";

export class SignInFailed extends Error {}

export async function providers() {
  return (await call("GET", "/v1/auth/providers")).providers ?? [];
}

// Whether this page can: without a secure context the browser makes no digest.
export const isPossible = Boolean(globalThis.crypto?.subtle);

// Leaves the page. A guest's token goes along, so the guest becomes the user, with scans and characters.
export async function begin(provider) {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(36)));
  const hashed = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const body = { redirect_uri: `${location.origin}/callback`, code_challenge: base64url(new Uint8Array(hashed)) };
  const begun = await call("POST", `/v1/auth/${provider}:begin`, { body });
  sessionStorage.setItem(ATTEMPT, JSON.stringify({ provider, verifier, state: begun.state }));
  location.assign(begun.authorization_url);
}

// Whoever came back is signed in. Throws SignInFailed if it wasn't this page that sent them, or they declined.
export async function complete(query) {
  const attempt = JSON.parse(sessionStorage.getItem(ATTEMPT) ?? "null");
  sessionStorage.removeItem(ATTEMPT);
  if (!attempt || attempt.state !== query.get("state") || !query.get("code")) {
    throw new SignInFailed(query.get("error") ?? "state");
  }
  const body = { state: attempt.state, code: query.get("code"), code_verifier: attempt.verifier };
  adopt(await send("POST", `/v1/auth/${attempt.provider}:complete`, { body }));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
