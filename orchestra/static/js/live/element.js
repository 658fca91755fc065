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
  element.querySelector("[name=file]")?.setAttribute("aria-label", `Choose ${file.name}`);
  showPicture(slot(element, "thumbnail"), file.thumbnail);
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

function showPicture(picture, address) {
  if (!picture || (picture.getAttribute("src") ?? "") === (address ?? "")) return;
  picture.hidden = !address;
  if (address) picture.src = address;
  else picture.removeAttribute("src");
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
  slot(row, "name").dataset.key = file.id;
  for (const link of row.querySelectorAll("a[href]")) link.setAttribute("href", link.getAttribute("href").replace(blank, file.id));
  for (const input of row.querySelectorAll("input[value]")) if (input.value === blank) input.setAttribute("value", file.id);
  setText(slot(row, "ending"), endingOf(file.name));
  for (const button of row.querySelectorAll("[formaction]")) {
    button.setAttribute("formaction", button.getAttribute("formaction").replace(blank, file.id));
  }
  showTime(row.querySelector("time"), file.created_at);
  showFile(row, file);
  return row;
}

// What stands where a file has no picture, as `files/rows.py` has it.
function endingOf(name) {
  const dot = name.lastIndexOf(".");
  return dot >= 0 && name.length - dot <= 6 ? name.slice(dot + 1).toUpperCase() : "";
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
