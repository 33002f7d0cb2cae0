/** Ids that nobody can guess, and digests. */

import { webCrypto } from "#crypto";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** 128 random bits, as 32 digits. */
export function randomId(): string {
  return hex(webCrypto.getRandomValues(new Uint8Array(16)));
}

/** The content's SHA-256 in lower-case hex; undefined on pages that have no digests. */
export async function sha256(content: Blob): Promise<string | undefined> {
  if (!webCrypto.subtle) return undefined;
  return hex(new Uint8Array(await webCrypto.subtle.digest("SHA-256", await content.arrayBuffer())));
}
