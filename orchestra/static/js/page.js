// What every page does: times in the reader's zone, copy buttons, one open question at a time.
import { localTimes } from "./format.js";

localTimes(document);
for (const part of document.querySelectorAll("[data-needs-script]")) part.hidden = false;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  for (const open of document.querySelectorAll("details.confirm[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.confirm[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    // No clipboard on plain http away from localhost: mark the text, so that Ctrl+C is all that is left to do.
    getSelection().selectAllChildren(source);
    button.textContent = "Press Ctrl+C";
  }
}
