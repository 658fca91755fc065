// All uploads of this page: two files at a time, the others in order; what a closed browser left is taken up again.
import { request } from "../api.js";
import * as store from "./store.js";
import { Transfer } from "./transfer.js";

const FILES_AT_ONCE = 2;

export class Queue {
  constructor(user, largest) {
    this.user = user;
    this.largest = largest;
    this.transfers = [];
    this.onadd = () => {};
    this.onremove = () => {};
    this.onchange = () => {};
  }

  add(file, handle = null) {
    const known = this.transfers.find((one) => same(one, file) && one.state !== "done");
    if (known) {
      if (known.state === "needs-file") this.give(known, file, handle);
      return;
    }
    const { name, size, lastModified } = file;
    const transfer = new Transfer({ key: randomKey(), name, size, lastModified, file, handle });
    this.#take(transfer);
    if (size > this.largest) transfer.set("failed", tooLarge());
    else hold(transfer.key).then(() => this.#pump());
  }

  // Takes up what this user left unfinished in this browser, unless another tab is at it.
  async takeUp() {
    for (const record of await store.recordsOf(this.user)) this.#takeUpOne(record);
  }

  async #takeUpOne(record) {
    await hold(record.key);
    if (!(await store.find(record.id))) return; // another tab finished it meanwhile
    const transfer = new Transfer(record);
    transfer.file ??= await granted(record.handle);
    if (!transfer.file) {
      transfer.accepted = await received(record.id);
      if (transfer.accepted === null) {
        store.forget(record.id);
        return;
      }
    }
    transfer.state = !transfer.file ? "needs-file" : record.paused ? "paused" : "waiting";
    this.#take(transfer);
    this.#pump();
  }

  pause(transfer) {
    transfer.stop("paused");
    store.change(transfer.id, { paused: true });
    this.#pump();
  }

  async resume(transfer) {
    if (!transfer.file && transfer.handle) {
      // Asks the user, who has just clicked.
      if ((await transfer.handle.requestPermission({ mode: "read" })) === "granted") {
        transfer.file = await transfer.handle.getFile().catch(() => null);
      }
    }
    if (!transfer.file) return;
    store.change(transfer.id, { paused: false });
    transfer.set("waiting");
    this.#pump();
  }

  // Returns false when it is another file than the one that began.
  give(transfer, file, handle = null) {
    if (!same(transfer, file)) return false;
    Object.assign(transfer, { file, handle });
    if (transfer.id) this.#remember(transfer);
    this.resume(transfer);
    return true;
  }

  async cancel(transfer) {
    transfer.stop("gone");
    if (transfer.id) {
      store.forget(transfer.id);
      try {
        await request("DELETE", `/api/files/${transfer.id}`);
      } catch {
        // What cannot be deleted now expires on the server by itself.
      }
    }
    this.dismiss(transfer);
    this.#pump();
  }

  // The server's word that a file is gone ends its upload here.
  forgetFile(id) {
    const transfer = this.transfers.find((one) => one.id === id && one.state !== "done");
    if (!transfer) return;
    transfer.stop("gone");
    store.forget(id);
    this.dismiss(transfer);
    this.#pump();
  }

  dismiss(transfer) {
    this.transfers = this.transfers.filter((one) => one !== transfer);
    if (transfer.id && transfer.state === "failed") store.forget(transfer.id);
    this.onremove(transfer);
  }

  #take(transfer) {
    transfer.onchange = () => this.onchange(transfer);
    transfer.onopened = () => this.#remember(transfer);
    this.transfers.push(transfer);
    this.onadd(transfer);
  }

  async #remember(transfer) {
    const { id, key, name, size, lastModified, file, handle } = transfer;
    const record = { id, key, user: this.user, name, size, lastModified, paused: false };
    transfer.stored = await store.remember(record, file, handle);
  }

  #pump() {
    let free = FILES_AT_ONCE - this.transfers.filter((one) => one.active).length;
    for (const transfer of this.transfers) {
      if (free <= 0) return;
      if (transfer.state !== "waiting" || !transfer.file) continue;
      free -= 1;
      transfer.run().then(() => this.#ended(transfer));
    }
  }

  #ended(transfer) {
    if (transfer.state === "done" && transfer.id) store.forget(transfer.id);
    this.#pump();
  }
}

const same = (a, b) => a.name === b.name && a.size === b.size && a.lastModified === b.lastModified;

function tooLarge() {
  const error = new Error("This file is larger than this server accepts.");
  error.hint = "Split it, or ask the administrator to raise MAX_FILE_SIZE.";
  error.final = true;
  return error;
}

// crypto.randomUUID is missing on plain http away from localhost.
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-");
}

// Resolves once this tab alone works on `key`; the lock ends with the page. At once where there are no locks.
function hold(key) {
  if (!navigator.locks) return Promise.resolve();
  return new Promise((resolve) => navigator.locks.request(`upload:${key}`, () => new Promise(() => resolve())));
}

async function granted(handle) {
  if (!handle) return null;
  try {
    return (await handle.queryPermission({ mode: "read" })) === "granted" ? await handle.getFile() : null;
  } catch {
    return null;
  }
}

// Bytes that the server has of an upload; null when there is nothing left to send.
async function received(id) {
  try {
    return (await request("GET", `/api/files/${id}/status`)).upload?.received_bytes ?? null;
  } catch (error) {
    return error.status === 404 ? null : 0;
  }
}
