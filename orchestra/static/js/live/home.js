// The home page: rows follow their files; whatever else changed is read again from the server as one part.
import { localTimes } from "../format.js";
import { announceEnd } from "./announce.js";
import { showFile } from "./element.js";

const AT_MOST_EVERY = 1_200; // ms, while thousands of files go through

export class HomePage {
  constructor(root) {
    this.root = root;
    this.known = asKey(JSON.parse(document.getElementById("home-counts").textContent));
    this.timer = null;
    this.last = 0;
  }

  ids() {
    return this.#rows().map((row) => row.dataset.file);
  }

  unsettled() {
    return this.#rows()
      .filter((row) => ["queued", "processing"].includes(row.dataset.status))
      .map((row) => row.dataset.file);
  }

  wantsNew() {
    return true; // for the counts, also where no row is shown
  }

  apply(files) {
    for (const file of files) {
      const row = this.#row(file.id);
      if (!row) continue;
      const before = showFile(row, file);
      announceEnd(file, before);
      if (before !== null && before !== file.status) this.#reread();
    }
  }

  remove(id) {
    document.dispatchEvent(new CustomEvent("orchestra:file-deleted", { detail: { id } }));
    if (this.#row(id)) this.#reread();
  }

  // Files that come, go or end change a number, whether or not they are shown.
  counts(counts) {
    const now = asKey(counts);
    if (now === this.known) return;
    this.known = now;
    this.#reread();
  }

  #rows() {
    return [...this.root.querySelectorAll("[data-file]")];
  }

  #row(id) {
    return this.root.querySelector(`[data-file="${CSS.escape(id)}"]`);
  }

  #reread() {
    if (this.timer) return;
    const pause = Math.max(150, this.last + AT_MOST_EVERY - Date.now());
    this.timer = setTimeout(() => {
      this.timer = null;
      this.last = Date.now();
      this.#read();
    }, pause);
  }

  // The server escapes what it renders, and a parsed document runs no scripts: its part can be taken over as it is.
  async #read() {
    try {
      const response = await fetch(location.pathname, { credentials: "same-origin", cache: "no-store" });
      if (!response.ok || response.redirected) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("home");
      if (!fresh) return;
      localTimes(fresh);
      const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.key : "";
      this.root.replaceChildren(...fresh.childNodes);
      if (focused) (this.root.querySelector(`[data-key="${CSS.escape(focused)}"]`) ?? document.getElementById("main")).focus();
    } catch {
      // The next change, or a reload, brings it.
    }
  }
}

const asKey = (counts) => JSON.stringify(Object.entries(counts).filter(([, number]) => number).sort());
