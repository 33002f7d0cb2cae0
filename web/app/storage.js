// What the browser remembers of this person: small things by name. A browser that keeps nothing loses them with the tab.

const forgetful = new Map();

export function remembered(name) {
  if (forgetful.has(name)) return forgetful.get(name);
  try {
    return JSON.parse(localStorage.getItem(`eco2.${name}`));
  } catch {
    return null;
  }
}

export function remember(name, value) {
  forgetful.delete(name);
  try {
    if (value === null) localStorage.removeItem(`eco2.${name}`);
    else localStorage.setItem(`eco2.${name}`, JSON.stringify(value));
  } catch {
    forgetful.set(name, value); // it is full, or closed to this page
  }
}

// A UUID. `crypto.randomUUID` isn't there on a page that came by plain http from another machine.
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
