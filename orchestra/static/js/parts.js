// Takes parts of a page over from a newer one of the same address: elements with an id and `data-part`.
import { localTimes } from "./format.js";

export async function fetched(address, options = {}) {
  const response = await fetch(address, { credentials: "same-origin", cache: "no-store", ...options });
  const text = await response.text();
  // The server escapes what it renders, and a parsed document runs no scripts.
  const page = new DOMParser().parseFromString(text, "text/html");
  localTimes(page);
  // Every rendering has another spelling of the same token: with this page's, equal forms are equal.
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  for (const input of page.querySelectorAll("[name=csrfmiddlewaretoken]")) if (token) input.setAttribute("value", token);
  return { response, page };
}

// Leaves alone what is as it was, so that a screen reader and a selection keep their place, and what `keep` names.
// Returns whether something was kept that is no longer as it should be.
export function takeOver(page, keep = () => false) {
  let kept = false;
  for (const part of document.querySelectorAll("[data-part][id]")) {
    const newer = page.getElementById(part.id);
    if (!newer || newer.isEqualNode(part)) continue;
    if (keep(part)) {
      kept = true;
      continue;
    }
    part.replaceChildren(...newer.childNodes);
    for (const { name } of [...part.attributes]) if (!newer.hasAttribute(name)) part.removeAttribute(name);
    for (const { name, value } of newer.attributes) part.setAttribute(name, value);
  }
  return kept;
}
