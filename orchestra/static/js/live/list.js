// The list of files: rows follow their files, new files come in on the first page, deleted ones go.
import { request } from "../api.js";
import { count } from "../format.js";
import { announceEnd } from "./announce.js";
import { newRow, showFile, slot } from "./element.js";

const UNSETTLED = ["queued", "processing"];
const CHECK_AFTER = 800; // ms, so that a batch that changes is asked for at once
const IDS_PER_REQUEST = 100;

export class FileList {
  constructor(root) {
    this.root = root;
    this.rows = document.getElementById("file-rows");
    this.takesNew = root.dataset.firstPage === "yes";
    this.deleted = new Set();
    this.hidden = new Set();
    this.expected = new Set();
    // Ids grow with time: what is above this one came after the page was made.
    this.newest = root.dataset.newest;
    this.changed = new Set();
    this.timer = null;
  }

  ids() {
    return [...this.rows.children].map((row) => row.dataset.file);
  }

  unsettled() {
    return [...this.rows.children].filter((row) => UNSETTLED.includes(row.dataset.status)).map((row) => row.dataset.file);
  }

  wantsNew() {
    return this.takesNew;
  }

  apply(files) {
    for (const file of files) {
      const row = this.#row(file.id);
      if (row) this.#update(row, file);
      else this.#consider(file);
    }
    this.#settle();
  }

  remove(id) {
    this.deleted.add(id);
    this.hidden.delete(id);
    document.dispatchEvent(new CustomEvent("orchestra:file-deleted", { detail: { id } }));
    const row = this.#row(id);
    if (!row) return;
    const focused = row.contains(document.activeElement);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (focused) (next?.querySelector("a") ?? document.getElementById("main")).focus();
    this.#settle();
  }

  // Lets a file in that came back from the trash, old as it is.
  expect(id) {
    this.deleted.delete(id);
    this.expected.add(id);
    return true;
  }

  counts(counts) {
    const of = (statuses) => statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
    const total = of(Object.keys(counts));
    showTotal(of(["ready", "partial"]), total);
    if (!this.root.dataset.narrowed) showFound(total);
    document.getElementById("list-tools").hidden = !total;
    for (const badge of this.root.querySelectorAll("[data-count]")) {
      const all = badge.dataset.count === "all";
      const number = all ? total : of(badge.dataset.count.split(" "));
      badge.textContent = count(number);
      const filter = badge.parentElement;
      filter.hidden = !all && !number && !filter.hasAttribute("aria-current");
    }
  }

  #row(id) {
    return this.rows.querySelector(`[data-file="${CSS.escape(id)}"]`);
  }

  #update(row, file) {
    const version = row.dataset.version;
    announceEnd(file, showFile(row, file));
    if (!this.root.dataset.narrowed || row.dataset.version === version) return;
    this.changed.add(file.id);
    this.timer ??= setTimeout(() => this.#check(), CHECK_AFTER);
  }

  // Whether a changed file still matches is the server's to say. One that does not is marked and stays where it is:
  // nothing moves under a hand that is about to press, and the reader refreshes the list when it suits.
  async #check() {
    this.timer = null;
    const ids = [...this.changed].slice(0, IDS_PER_REQUEST);
    for (const id of ids) this.changed.delete(id);
    if (this.changed.size) this.timer = setTimeout(() => this.#check(), CHECK_AFTER);
    try {
      const query = `page_size=${IDS_PER_REQUEST}&id=${ids.join(",")}&${this.root.dataset.narrowed}`;
      const matching = new Set((await request("GET", `/api/files?${query}`)).results.map((file) => file.id));
      for (const id of ids) this.#mark(this.#row(id), !matching.has(id));
      this.#settle();
    } catch {
      // The next change, or a reload, tells it.
    }
  }

  #mark(row, left) {
    const note = row && slot(row, "left");
    if (note) note.hidden = !left;
  }

  #consider(file) {
    // A late message about a deleted file must not bring it back.
    if (this.deleted.has(file.id) || (file.id <= this.newest && !this.expected.has(file.id))) return;
    if (!this.takesNew) {
      this.hidden.add(file.id);
      return;
    }
    const row = newRow(file);
    row.classList.add("is-new");
    const older = [...this.rows.children].find((other) => other.dataset.file < file.id) ?? null;
    this.rows.insertBefore(row, older);
  }

  #settle() {
    document.getElementById("no-files").hidden = this.rows.childElementCount > 0;
    const note = document.getElementById("more-files");
    note.hidden = !this.hidden.size;
    note.querySelector("span").textContent =
      this.hidden.size === 1 ? "1 new file is not in this view." : `${count(this.hidden.size)} new files are not in this view.`;
    note.querySelector("a").href = location.pathname;
    this.#settleLeft();
  }

  #settleLeft() {
    const number = this.rows.querySelectorAll("[data-slot=left]:not([hidden])").length;
    const note = document.getElementById("left-files");
    const text = number === 1 ? "1 file here no longer matches the filters." : `${count(number)} files here no longer match the filters.`;
    if (number && note.querySelector("span").textContent !== text) note.querySelector("span").textContent = text;
    note.hidden = !number;
    note.querySelector("a").href = location.href;
  }
}

function showFound(total) {
  const number = total === 1 ? "1 file" : `${count(total)} files`;
  const found = document.getElementById("found");
  if (total <= Number(found.dataset.counted) && found.textContent !== number) found.textContent = number;
  const all = document.getElementById("which").options[2];
  if (total <= Number(found.dataset.counted)) all.label = `All ${number}`;
}

function showTotal(searchable, total) {
  const strong = (number) => Object.assign(document.createElement("strong"), { textContent: count(number) });
  const line = document.getElementById("counts");
  line.replaceChildren(...(total ? [strong(searchable), " of ", strong(total), " searchable"] : []));
}
