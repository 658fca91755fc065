// One file on its way: initiate, send what is missing, go on after whatever happens. The server says what it has;
// nothing here is believed over that.
import { ApiError, LineError, request } from "../api.js";
import { digest, sendChunk } from "./bytes.js";
import { Speed } from "./speed.js";

const CHUNKS_AT_ONCE = 2;
const MOST_FAILURES = 8; // of the server, in a row without a byte accepted; a cut line is waited for without end
const LONGEST_PAUSE = 30_000;
const DAMAGED = ["chunk_checksum_mismatch", "chunk_incomplete"];

// States: waiting, starting, sending, paused, offline, needs-file, failed, done, gone.
export class Transfer {
  constructor({ key, name, size, lastModified, id = "", file = null, handle = null }) {
    Object.assign(this, { key, name, size, lastModified, id, file, handle });
    this.state = "waiting";
    this.error = null;
    this.duplicate = false;
    this.restored = false;
    this.stored = true;
    this.accepted = 0;
    this.inFlight = new Map();
    this.speed = new Speed();
    this.onchange = () => {};
    this.onopened = () => {};
    this.failures = 0;
    this.stopping = new AbortController();
    this.retryAt = 0;
  }

  get sent() {
    let flying = 0;
    for (const count of this.inFlight.values()) flying += count;
    return Math.min(this.size, this.accepted + flying);
  }

  get active() {
    return ["starting", "sending", "offline"].includes(this.state);
  }

  set(state, error = null) {
    this.state = state;
    this.error = error;
    this.onchange(this);
  }

  // Runs until the file is there or somebody is needed. Never throws.
  async run() {
    // This run's own signal: after a pause and a resume there may be a second run before the first has ended.
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    this.failures = 0;
    while (!signal.aborted) {
      try {
        this.set("starting");
        const upload = this.id ? await this.#status() : await this.#initiate();
        signal.throwIfAborted();
        const answer = upload.complete ? upload : await this.#sendMissing(upload, signal);
        signal.throwIfAborted();
        if (answer.complete) {
          this.#finish(answer);
          return;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!passing(error) || this.failures >= MOST_FAILURES) {
          this.#fail(error);
          return;
        }
        await this.#pauseAfter(error, signal);
      }
    }
  }

  stop(state) {
    this.set(state);
    this.stopping.abort();
    this.inFlight.clear();
    this.speed.reset();
  }

  async #initiate() {
    const body = { name: this.name, size: this.size };
    // A small file's digest is cheap, and lets the server say "already here" before a byte is sent.
    if (this.size <= 8 * 1024 ** 2) body.sha256 = await digest(await this.#read(0, this.size));
    const upload = await request("POST", "/api/files/upload/initiate", body);
    if (upload.complete) return upload;
    if (this.state === "gone") {
      // Cancelled while the server was asked.
      await request("DELETE", `/api/files/${upload.id}`);
    } else {
      this.id = upload.upload_id;
      await this.onopened(this);
    }
    return upload;
  }

  async #status() {
    const status = await request("GET", `/api/files/${this.id}/status`);
    return status.upload ?? { complete: true, id: status.id, duplicate: status.id !== this.id };
  }

  async #sendMissing(upload, signal) {
    this.accepted = upload.received_bytes;
    this.set("sending");
    const gaps = missing(upload);
    let last = upload;
    let failure = null;
    const worker = async () => {
      // Others finish the chunk that they are at when one fails: its bytes are not sent twice.
      while (gaps.length && !failure) {
        try {
          const answer = await this.#sendOne(upload, gaps.shift(), signal);
          if (answer.complete) last = answer;
        } catch (error) {
          failure ??= error;
        }
      }
    };
    await Promise.all(Array.from({ length: CHUNKS_AT_ONCE }, worker));
    if (failure) throw failure;
    return last;
  }

  async #sendOne(upload, start, signal) {
    const buffer = await this.#read(start, Math.min(start + upload.chunk_size, this.size));
    const onsent = (count) => {
      this.inFlight.set(start, Math.min(count, buffer.byteLength));
      this.speed.note(this.sent);
      this.onchange(this);
    };
    try {
      const sha256 = await digest(buffer);
      const answer = await sendChunk({ id: this.id, buffer, start, size: this.size, sha256, signal, onsent });
      this.inFlight.delete(start);
      this.accepted += buffer.byteLength;
      this.failures = 0;
      return answer;
    } finally {
      this.inFlight.delete(start);
      this.onchange(this);
    }
  }

  async #read(start, end) {
    try {
      return await this.file.slice(start, end).arrayBuffer();
    } catch {
      throw new UnreadableFile();
    }
  }

  #finish(answer) {
    this.accepted = this.size;
    this.fileId = answer.id;
    this.duplicate = answer.duplicate;
    this.restored ||= Boolean(answer.restored);
    this.set("done");
  }

  #fail(error) {
    this.inFlight.clear();
    this.speed.reset();
    // Without its record on the server the upload can only begin anew.
    if (error instanceof ApiError && [404, 410].includes(error.status)) this.id = "";
    this.set(error instanceof UnreadableFile ? "needs-file" : "failed", error.signedOut ? SESSION_ENDED : error);
  }

  async #pauseAfter(error, signal) {
    if (error instanceof ApiError) this.failures += 1;
    this.tries = error instanceof LineError ? (this.tries ?? 0) + 1 : this.failures;
    const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** Math.min(this.tries - 1, 5)) * (0.75 + Math.random() / 4);
    this.retryAt = Date.now() + pause;
    this.speed.reset();
    this.set("offline", error);
    await rest(pause, signal);
  }
}

const SESSION_ENDED = { message: "Your session has ended.", hint: "Sign in again in another tab, then try again here." };

// The file was changed, moved or deleted since it was chosen.
export class UnreadableFile extends Error {
  constructor() {
    super("The file was changed or moved since it was chosen.");
    this.hint = "Choose it again.";
  }
}

function passing(error) {
  if (error instanceof LineError) return true;
  return error instanceof ApiError && (error.passing || DAMAGED.includes(error.code));
}

// Starts of the chunks that the server has not got.
function missing({ size, chunk_size: step, received }) {
  const starts = [];
  for (let at = 0; at < size; at += step) {
    if (!received.some(([from, to]) => from <= at && at < to)) starts.push(at);
  }
  return starts;
}

// Waits, but not once the line is back or the transfer is stopped.
function rest(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    }
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
