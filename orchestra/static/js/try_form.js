// Tries what a form says without leaving it, so that secrets, which no page gives back, stay where they were typed.
// Without this script the form is sent as usual.
import { fetched, takeOver } from "./parts.js";

for (const form of document.querySelectorAll("form[data-try]")) {
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name !== "try") return;
    event.preventDefault();
    attempt(form, event.submitter);
  });
}

async function attempt(form, button) {
  const verdict = document.getElementById("verdict");
  const words = button.textContent;
  button.disabled = true;
  button.textContent = "Testing…";
  verdict.replaceChildren();
  try {
    const body = new FormData(form);
    body.set(button.name, button.value);
    const { response, page } = await fetched(form.action, { method: "POST", body });
    if (response.redirected || !page.getElementById("verdict")) throw new Error("no verdict");
    for (const note of page.querySelectorAll("[data-without-script]")) note.remove();
    takeOver(page);
    markWrong(form);
  } catch {
    verdict.replaceChildren(sentence("The test could not be made. Reload the page and sign in again if need be."));
  } finally {
    button.disabled = false;
    button.textContent = words;
    button.focus();
  }
}

function markWrong(form) {
  const wrong = [...form.querySelectorAll(".field-error")];
  for (const input of form.elements) input.removeAttribute("aria-invalid");
  for (const error of wrong) error.closest(".field").querySelector("input, select")?.setAttribute("aria-invalid", "true");
  if (wrong.length) document.getElementById("verdict").replaceChildren(sentence("Some fields are not right; see above."));
}

function sentence(text) {
  const note = document.createElement("p");
  note.className = "message message-error";
  note.textContent = text;
  return note;
}
