// Reads a page's parts anew while one of them is live: `data-live` says after how many seconds. A hidden page waits.
import { fetched, takeOver } from "./parts.js";

const LONGEST = 60;
let failures = 0;
let timer = 0;
let held = false; // a part that has the focus is as it was

const live = () => [...document.querySelectorAll("[data-part][data-live]")];
const pause = () => Math.min(...live().map((part) => Number(part.dataset.live))) * 2 ** failures;

function plan() {
  clearTimeout(timer);
  if (live().length && !document.hidden) timer = setTimeout(refresh, Math.min(pause(), LONGEST) * 1000);
}

async function refresh() {
  const before = live().filter((part) => part.dataset.live === "2");
  try {
    const { response, page } = await fetched(location.href);
    if (response.redirected) return; // signed out: a reload says so
    failures = response.ok ? 0 : failures + 1;
    if (response.ok) held = takeOver(page, (part) => part.contains(document.activeElement));
    for (const part of before) if (part.dataset.live !== "2") announce(part.dataset.said);
  } catch {
    failures += 1;
  }
  plan();
}

function announce(text) {
  document.getElementById("announcer").textContent = text ?? "";
}

document.addEventListener("visibilitychange", () => {
  failures = 0;
  if (!document.hidden && live().length) refresh();
});
document.addEventListener("focusout", () => {
  if (held) setTimeout(refresh); // when the focus has arrived elsewhere
});
plan();
