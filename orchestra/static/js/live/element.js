// One file's element, a row or the page: reads and writes its slots. Text only; a name is data, whatever is in it.
import { bytes, showTime } from "../format.js";
import { label, sentence } from "./words.js";

const RUNNING = ["queued", "processing"];
const RETRIABLE = ["ready", "partial", "failed", "cancelled"];

export const slot = (element, name) => element.querySelector(`[data-slot="${name}"]`);

// Shows `file` unless the element shows something newer. Returns the status shown before, or null when nothing was done.
export function showFile(element, file) {
  if (file.version < Number(element.dataset.version)) return null;
  const before = element.dataset.status;
  element.dataset.version = file.version;
  element.dataset.status = file.status;
  setText(slot(element, "name"), file.name);
  setText(slot(element, "name-again"), file.name);
  setText(slot(element, "size"), bytes(file.size));
  setOptional(slot(element, "type"), file.type_label);
  showTags(slot(element, "tags"), file.tags);
  showState(element, file);
  showActions(element, file);
  return before;
}

function showState(element, file) {
  const status = slot(element, "status");
  status.dataset.status = file.status;
  setText(status, label(file));
  setOptional(slot(element, "detail"), sentence(file));
  setOptional(slot(element, "hint"), file.status === "failed" ? file.error?.hint : "");
  showProgress(slot(element, "progress"), file);
}

function showProgress(bar, file) {
  bar.hidden = file.status !== "processing";
  if (file.progress?.total) {
    bar.max = file.progress.total;
    bar.value = Math.min(file.progress.done, file.progress.total);
  } else {
    bar.removeAttribute("value"); // at work, and nobody knows how much there is
  }
}

function showActions(element, file) {
  for (const button of element.querySelectorAll("button[data-action]")) {
    const { action } = button.dataset;
    if (action === "retry") button.hidden = !RETRIABLE.includes(file.status);
    if (action === "cancel") button.hidden = !RUNNING.includes(file.status);
  }
  const download = slot(element, "download");
  if (download) download.hidden = file.status === "uploading";
}

function showTags(list, tags) {
  if (!list) return;
  list.hidden = !tags.length;
  list.replaceChildren(
    ...tags.map((tag) => {
      const item = document.createElement("li");
      item.className = "tag";
      item.dir = "auto";
      item.textContent = tag;
      return item;
    }),
  );
}

// Fills a copy of the row's template, whose addresses hold the nil id.
export function newRow(file) {
  const row = document.getElementById("file-row").content.firstElementChild.cloneNode(true);
  const blank = row.dataset.file;
  row.dataset.file = file.id;
  slot(row, "name").href = slot(row, "name").getAttribute("href").replace(blank, file.id);
  for (const button of row.querySelectorAll("[formaction]")) {
    button.setAttribute("formaction", button.getAttribute("formaction").replace(blank, file.id));
  }
  showTime(row.querySelector("time"), file.created_at);
  showFile(row, file);
  return row;
}

// Untouched when nothing changed: a screen reader and a selection keep their place.
function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function setOptional(element, text) {
  if (!element) return;
  setText(element, text ?? "");
  element.hidden = !text;
}
