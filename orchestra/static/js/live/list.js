// The list of files: rows follow their files, new files come in on the first page, deleted ones go.
import { count } from "../format.js";
import { announceEnd } from "./announce.js";
import { newRow, showFile } from "./element.js";

const UNSETTLED = ["queued", "processing"];

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
      if (row) announceEnd(file, showFile(row, file));
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
  }
}

function showTotal(searchable, total) {
  const strong = (number) => Object.assign(document.createElement("strong"), { textContent: count(number) });
  const line = document.getElementById("counts");
  line.replaceChildren(...(total ? [strong(searchable), " of ", strong(total), " searchable"] : []));
}
