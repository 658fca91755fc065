// Retry, cancel and delete without leaving the page, so that uploads go on. Without this script the forms post as usual.
import { ApiError, request } from "../api.js";

export function watchActions(view) {
  document.addEventListener("submit", (event) => {
    const button = event.submitter?.closest("button[data-action]");
    if (!button) return;
    event.preventDefault();
    act(view, button);
  });
}

async function act(view, button) {
  const id = button.closest("[data-file]").dataset.file;
  const { action } = button.dataset;
  button.disabled = true;
  try {
    if (action === "delete") {
      await request("DELETE", `/api/files/${id}`);
      view.remove(id);
      if (button.closest("details").querySelector("a[href$='/trash']")) tell("The file is in the", "/trash", "trash");
    } else {
      view.apply([await request("POST", `/api/files/${id}/${action}`)]);
    }
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) view.remove(id);
    else say(error);
  } finally {
    button.disabled = false;
    button.closest("details")?.removeAttribute("open");
  }
}

function say(error) {
  const note = document.createElement("p");
  note.className = "message message-error";
  note.setAttribute("role", "alert");
  note.textContent = [error.message, error.hint].filter(Boolean).join(" ");
  document.getElementById("messages").replaceChildren(note);
}

function tell(sentence, address, word) {
  const note = document.createElement("p");
  note.className = "message message-success";
  note.setAttribute("role", "status");
  const link = document.createElement("a");
  link.href = address;
  link.textContent = word;
  note.append(`${sentence} `, link, ".");
  document.getElementById("messages").replaceChildren(note);
}
