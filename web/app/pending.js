// The photo that is on its way, kept until the service has it: it survives a failed upload, a reload and a closed tab.

const STORE = "pending";
const KEY = "photo";

// What is on its way, as {requestId, blob, type, fields}; null if nothing is, or the browser keeps nothing.
export function pending() {
  return done("readonly", (store) => store.get(KEY)).then((found) => found ?? null, () => null);
}

export function keep(upload) {
  return done("readwrite", (store) => store.put(upload, KEY)).catch(() => {});
}

export function forget() {
  return done("readwrite", (store) => store.delete(KEY)).catch(() => {});
}

async function done(mode, ask) {
  const database = await finished(Object.assign(indexedDB.open("eco2", 1), {
    onupgradeneeded: (event) => event.target.result.createObjectStore(STORE),
  }));
  try {
    return await finished(ask(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function finished(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
