// The tabs of a file's page. Without this script they are links to pages of their own; with it they are tabs: arrows
// move between them, Enter or Space opens one, and the address follows, so that Back, a reload and a link work.
import { takePanel } from "./tabs/panel.js";

const list = document.getElementById("file-tabs");
const panel = document.getElementById("panel");
const tabs = [...list.querySelectorAll("a")];
let wanted = 0;

list.setAttribute("role", "tablist");
panel.setAttribute("role", "tabpanel");
panel.tabIndex = -1;
for (const tab of tabs) {
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", "panel");
}
mark(tabs.find((tab) => tab.hasAttribute("aria-current")) ?? tabs[0]);

list.addEventListener("click", (event) => {
  const tab = event.target.closest("a");
  if (!tab || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  open(tab, tab.href, true);
});

list.addEventListener("keydown", (event) => {
  const at = tabs.indexOf(document.activeElement);
  if (at < 0) return;
  const forward = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backward = document.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
  const to = { [forward]: at + 1, [backward]: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (event.key === " ") {
    event.preventDefault();
    tabs[at].click();
  } else if (to !== undefined) {
    event.preventDefault();
    focusOn(tabs[(to + tabs.length) % tabs.length]);
  }
});

addEventListener("popstate", () => {
  const tab = tabs.find((one) => new URL(one.href).pathname === location.pathname);
  if (tab) open(tab, location.href, false);
});

async function open(tab, address, push) {
  const asked = (wanted += 1);
  panel.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(address, { credentials: "same-origin", cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    if (asked !== wanted) return;
    if (!response.ok || response.redirected || !takePanel(fresh)) throw new Error(response.status);
    if (push) history.pushState(null, "", address);
    mark(tab);
  } catch {
    if (asked === wanted) location.assign(address); // the browser says what is wrong
  } finally {
    if (asked === wanted) panel.removeAttribute("aria-busy");
  }
}

// One tab is in the order of Tab; the others are reached by arrows.
function mark(chosen) {
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    tab.removeAttribute("aria-current");
  }
  panel.setAttribute("aria-labelledby", chosen.id);
  reveal(chosen);
}

// Moves the row of tabs alone: the page may stand at a cited place.
function reveal(tab) {
  const [row, one] = [list.getBoundingClientRect(), tab.getBoundingClientRect()];
  if (one.right > row.right) list.scrollLeft += one.right - row.right;
  else if (one.left < row.left) list.scrollLeft += one.left - row.left;
}

function focusOn(tab) {
  for (const one of tabs) one.tabIndex = one === tab ? 0 : -1;
  tab.focus();
  reveal(tab);
}
