// The status page: runs what is older than a minute, one check after the other, and tries the socket from this browser.
import { csrfToken } from "./api.js";
import { localTimes } from "./format.js";
import { trySocket } from "./status/socket.js";

const checks = document.getElementById("checks");
const overall = document.getElementById("overall");
const report = document.getElementById("report");
const own = document.getElementById("browser-socket");
const announcer = document.getElementById("announcer");
let socketFinding = null;

checks.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-run]");
  if (!form) return;
  event.preventDefault();
  runOne(form.closest(".check"), true).then(readReport);
});

document.getElementById("run-all").addEventListener("submit", (event) => {
  event.preventDefault();
  runAll(cards(), true);
});

own.querySelector("button").addEventListener("click", () => checkSocket(true).then(readReport));

const cards = () => [...checks.querySelectorAll(".check[data-check]")];

async function runAll(which, aloud) {
  const button = document.querySelector("#run-all button");
  button.disabled = true;
  const socket = checkSocket(false);
  for (const card of which) await runOne(card, false);
  await socket;
  await readReport();
  button.disabled = false;
  if (aloud || which.length) announcer.textContent = overall.textContent;
}

// The card comes back as the server draws it; where no answer comes, the old one says so.
async function runOne(card, aloud) {
  const form = card.querySelector("form[data-run]");
  const button = form.querySelector("button");
  const focused = button === document.activeElement;
  show(card, "processing", "Checking…");
  button.disabled = true;
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { "X-CSRFToken": csrfToken(), "X-Fragment": "card" },
      body: new URLSearchParams(new FormData(form)),
      credentials: "same-origin",
    });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    const fresh = template.content.querySelector(".check");
    localTimes(fresh);
    card.replaceWith(fresh);
    if (focused) fresh.querySelector("form button").focus();
    if (aloud) announcer.textContent = `${fresh.dataset.check}: ${fresh.dataset.state}.`;
  } catch (error) {
    show(card, "failed", "Could not be run");
    card.dataset.state = "Needs attention";
    button.disabled = false;
    if (aloud) announcer.textContent = `${card.dataset.check} could not be run. ${error.message}`;
  }
  summarise();
}

function show(card, status, words) {
  const state = card.querySelector(".status");
  state.dataset.status = status;
  state.textContent = words;
}

function summarise() {
  const all = [...cards(), ...(socketFinding ? [own] : [])];
  const failing = all.filter((card) => card.dataset.state === "Needs attention").length;
  const unknown = all.filter((card) => card.dataset.state === "Not checked yet").length;
  if (failing) overall.textContent = `${failing} of ${all.length} parts ${failing === 1 ? "needs" : "need"} attention.`;
  else if (unknown) overall.textContent = `${unknown} of ${all.length} parts were not checked yet.`;
  else overall.textContent = `All ${all.length} parts work.`;
}

async function checkSocket(aloud) {
  show(own, "processing", "Checking…");
  const found = await trySocket();
  socketFinding = { ok: found.ok, message: found.message, milliseconds: found.milliseconds };
  own.dataset.state = found.ok ? "Works" : "Needs attention";
  show(own, found.ok ? "ready" : "failed", own.dataset.state);
  own.querySelector(".check-message").textContent = found.message;
  const remedy = own.querySelector(".check-remedy");
  remedy.hidden = !found.remedy;
  remedy.querySelector("span").textContent = found.remedy;
  own.querySelector("time").dateTime = new Date().toISOString();
  localTimes(own);
  summarise();
  if (aloud) announcer.textContent = `Socket from this browser: ${own.dataset.state}.`;
}

async function readReport() {
  try {
    const response = await fetch(report.dataset.source, { credentials: "same-origin", cache: "no-store" });
    if (!response.ok) return;
    report.textContent = JSON.stringify({ ...(await response.json()), socket_from_browser: socketFinding }, null, 2);
  } catch {
    // The line is cut: what stands there is the state before.
  }
}

runAll(cards().filter((card) => "stale" in card.dataset), false);
