// Uploads under way, remembered in IndexedDB so that they outlive the page and the browser.
//
// A record: {id, key, user, name, size, lastModified, paused, file?, handle?}. Chromium copies a stored File's bytes into its
// profile, so only smaller ones are stored; a dropped file's handle costs nothing and is stored for any size.
const DATABASE = "orchestra";
const STORE = "uploads";
export const LARGEST_STORED_FILE = 512 * 1024 ** 2;

let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opening;
}

async function run(mode, act) {
  const transaction = (await open()).transaction(STORE, mode);
  const asked = act(transaction.objectStore(STORE));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

// Returns whether the bytes, or a way to them, are kept too. A browser that stores nothing (private windows) is no error.
export async function remember(record, file, handle) {
  const withBytes = { ...record, ...(handle ? { handle } : file.size <= LARGEST_STORED_FILE ? { file } : {}) };
  for (const tried of [withBytes, record]) {
    try {
      await run("readwrite", (store) => store.put(tried));
      return Boolean(tried.file || tried.handle);
    } catch {
      // Full, or not allowed: the bare record still says which file to ask for.
    }
  }
  return false;
}

export async function change(id, changes) {
  try {
    const record = await run("readonly", (store) => store.get(id));
    if (record) await run("readwrite", (store) => store.put({ ...record, ...changes }));
  } catch {
    // Remembering is a convenience; the upload itself does not depend on it.
  }
}

export async function forget(id) {
  try {
    await run("readwrite", (store) => store.delete(id));
  } catch {
    // The next visit finds the upload finished on the server and forgets it then.
  }
}

export async function find(id) {
  try {
    return (await run("readonly", (store) => store.get(id))) ?? null;
  } catch {
    return null;
  }
}

export async function recordsOf(user) {
  try {
    return (await run("readonly", (store) => store.getAll())).filter((record) => record.user === user);
  } catch {
    return [];
  }
}
