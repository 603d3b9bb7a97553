// What a page keeps in the browser for the way back to it, under a name in its place of the history. It
// lies there for a day at most and goes nowhere else.

const DATABASE = "simsearch",
  STORE = "pages";
const LONGEST = 24 * 3600 * 1000; // milliseconds

/**
 * Keeps `value` for this place of the history. If the browser cannot keep it, nothing happens.
 * @param {unknown} value
 */
export async function keep(value) {
  const name = history.state?.kept ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
  history.replaceState({ ...history.state, kept: name }, "");
  try {
    const store = await opened("readwrite");
    store.put({ name, at: Date.now(), value });
  } catch {
    // as in a private window
  }
}

// The value that was kept for this place of the history, or null.
export async function kept() {
  if (!history.state?.kept) return null;
  try {
    const store = await opened("readwrite");
    await forgetOld(store);
    return (await answered(store.get(history.state.kept)))?.value ?? null;
  } catch {
    return null;
  }
}

/** @param {IDBTransactionMode} mode */
async function opened(mode) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "name" });
  return (await answered(opening)).transaction(STORE, mode).objectStore(STORE);
}

/** @param {IDBObjectStore} store */
async function forgetOld(store) {
  for (const entry of await answered(store.getAll())) if (entry.at < Date.now() - LONGEST) store.delete(entry.name);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const answered = (request) =>
  new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
