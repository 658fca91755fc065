// One socket to /ws/status/, opened again whenever it is lost, and polling while there is none.
//
// The view says what it shows (`ids()`, `wantsNew()`) and takes what is true (`apply`, `remove`, `counts`). The socket's
// messages are hints with content: after every gap (a reconnect, a sleep, a tab that was hidden) the page is read again.
import { ApiError, request } from "../api.js";

const OPEN_WITHIN = 5_000;
const POLL_EVERY = 3_000;
const SILENT_AFTER = 40_000; // the server's heartbeat comes every 15 s
const FRESHEN_EVERY = 5_000;
const LONGEST_PAUSE = 30_000;
const SESSION_ENDED = 4401;
const IDS_PER_REQUEST = 100;

export class Connection {
  constructor(view) {
    this.view = view;
    this.onstate = () => {};
    this.socket = null;
    this.live = false;
    this.failures = 0;
    this.heard = 0;
    this.ended = false;
    this.reading = null;
    this.stale = false;
    this.timers = {};
  }

  start() {
    this.onstate("connecting");
    this.#open();
    this.timers.poll = setInterval(() => this.live || this.reading || this.refresh(), POLL_EVERY);
    this.timers.freshen = setInterval(() => this.live && this.#freshen(), FRESHEN_EVERY);
    this.timers.watch = setInterval(() => this.#watch(), 5_000);
    addEventListener("pageshow", (event) => event.persisted && this.#wake());
    addEventListener("online", () => this.#wake());
    addEventListener("offline", () => this.#drop());
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
  }

  // Reads everything that the page shows, and what is new. Who asks while a reading is under way gets one that began
  // after the asking: the one under way may have passed what changed.
  refresh() {
    this.stale = true;
    this.reading ??= this.#readUntilFresh().finally(() => (this.reading = null));
    return this.reading;
  }

  async #readUntilFresh() {
    while (this.stale) {
      this.stale = false;
      await this.#read();
    }
  }

  async #read() {
    if (this.ended) return;
    try {
      const ids = this.view.ids();
      const pages = [];
      for (let at = 0; at < ids.length; at += IDS_PER_REQUEST) pages.push(await fetchIds(ids.slice(at, at + IDS_PER_REQUEST)));
      const known = new Set(pages.flatMap((page) => page.results.map((file) => file.id)));
      const newest = this.view.wantsNew() ? await request("GET", "/api/files?page_size=50") : null;
      for (const page of pages) this.view.apply(page.results);
      for (const id of ids) known.has(id) || this.view.remove(id);
      if (newest) this.view.apply(newest.results);
      const last = newest ?? pages.at(-1);
      if (last) this.view.counts(last.counts);
      if (!this.live) this.onstate("polling");
    } catch (error) {
      if (error instanceof ApiError && error.signedOut) this.#end();
      else if (!this.live) this.onstate("offline");
    }
  }

  // Places in the queue and silent workers change without a message: read again what waits or runs.
  async #freshen() {
    const ids = this.view.unsettled();
    if (!ids.length || document.hidden) return;
    try {
      this.view.apply((await fetchIds(ids.slice(0, IDS_PER_REQUEST))).results);
    } catch {
      // The watch on the socket decides whether the line is gone.
    }
  }

  #open() {
    if (this.ended || this.socket) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    let socket;
    try {
      socket = new WebSocket(`${scheme}://${location.host}/ws/status/`);
    } catch {
      this.#later();
      return;
    }
    this.socket = socket;
    const patience = setTimeout(() => socket === this.socket && !this.live && socket.close(), OPEN_WITHIN);
    socket.onmessage = (event) => socket === this.socket && this.#hear(JSON.parse(event.data));
    socket.onclose = (event) => {
      clearTimeout(patience);
      if (socket === this.socket) this.#lost(event.code);
    };
  }

  #hear(message) {
    this.heard = Date.now();
    if (message.type === "snapshot") this.#opened();
    if (message.files) this.view.apply(message.files);
    if (message.counts) this.view.counts(message.counts);
    if (message.type === "deleted") {
      this.view.remove(message.id);
      this.#soon(); // the message says nothing about the counts
    }
  }

  #soon() {
    clearTimeout(this.timers.soon);
    this.timers.soon = setTimeout(() => this.refresh(), 500);
  }

  #opened() {
    this.live = true;
    this.failures = 0;
    this.onstate("live");
    // The snapshot holds what is recent; rows that were deleted meanwhile are found by asking for them.
    this.refresh();
  }

  #lost(code) {
    this.socket = null;
    this.live = false;
    if (code === SESSION_ENDED) {
      this.#end();
      return;
    }
    this.refresh();
    this.#later();
  }

  #later() {
    clearTimeout(this.timers.open);
    const pause = Math.min(LONGEST_PAUSE, 1_000 * 2 ** this.failures);
    this.failures += 1;
    // Jitter, so that a restarted server is not met by all browsers at once.
    this.timers.open = setTimeout(() => this.#open(), pause * (0.5 + Math.random() / 2));
  }

  // Closes a socket that may never say so itself, and takes it for lost at once.
  #drop() {
    const socket = this.socket;
    if (!socket) {
      this.onstate("offline");
      return;
    }
    socket.onclose = null;
    socket.close();
    this.#lost(0);
  }

  #watch() {
    if (this.live && Date.now() - this.heard > SILENT_AFTER) this.#drop();
  }

  #wake() {
    this.#watch();
    this.failures = 0;
    if (!this.socket) {
      clearTimeout(this.timers.open);
      this.#open();
    }
    this.refresh();
  }

  #end() {
    this.ended = true;
    for (const timer of Object.values(this.timers)) clearInterval(timer);
    this.socket?.close();
    this.onstate("signed-out");
  }
}

function fetchIds(ids) {
  return request("GET", `/api/files?page_size=${IDS_PER_REQUEST}&id=${ids.join(",")}`);
}
