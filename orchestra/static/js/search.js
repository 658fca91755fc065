// The search page while a mode is at work: its steps and its sentences as they come, then what was found.
import { csrfToken } from "./api.js";

const form = document.getElementById("search-form");
const live = document.getElementById("live");
const said = document.getElementById("live-answer");
const steps = document.getElementById("live-steps");
const bar = document.getElementById("live-status");
const results = document.getElementById("results");
let running = null;

if (form?.hasAttribute("data-streams")) form.addEventListener("submit", ask);
document.getElementById("live-stop")?.addEventListener("click", () => stop("Stopped."));
// The address was changed without a load: going back loads what stood there.
addEventListener("popstate", () => location.reload());

async function ask(event) {
  event.preventDefault();
  running?.abort();
  const mine = (running = new AbortController());
  begin();
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "text/event-stream", "X-CSRFToken": csrfToken() },
      body: new FormData(form),
      credentials: "same-origin",
      cache: "no-store",
      signal: mine.signal,
    });
    if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      form.submit(); // the page says what is wrong
      return;
    }
    await read(response.body.pipeThrough(new TextDecoderStream()).getReader());
  } catch {
    if (!mine.signal.aborted) stop("The server cannot be reached.");
  }
}

function begin() {
  results.replaceChildren();
  steps.replaceChildren();
  said.replaceChildren();
  bar.textContent = "Searching";
  document.getElementById("live-stop").hidden = false;
  live.hidden = false;
}

function stop(sentence) {
  running?.abort();
  bar.textContent = sentence;
  document.getElementById("live-stop").hidden = true;
}

// Events stand between empty lines; a line that begins with a colon is none of them.
async function read(reader) {
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    waiting += value;
    const blocks = waiting.split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) take(block);
  }
  if (!live.hidden && bar.textContent === "Searching") stop("The answer broke off.");
}

function take(block) {
  const found = /^event: (\w+)\ndata: (.*)$/.exec(block);
  if (found) shown[found[1]]?.(JSON.parse(found[2]));
}

const shown = {
  step(step) {
    const line = document.createElement("li");
    line.dir = "auto";
    line.textContent = `${step.asked}: ${step.found} new passage${step.found === 1 ? "" : "s"}`;
    steps.append(line);
  },
  answer(sentence) {
    const part = document.createElement("span");
    part.textContent = `${sentence.text} `;
    if (!sentence.supported) part.className = "unsupported";
    said.append(part);
  },
  result({ html, address }) {
    live.hidden = true;
    results.innerHTML = html; // our own template, escaped by the server
    if (address) history.pushState(null, "", address);
  },
  error({ error }) {
    stop(`${error.message} ${error.hint ?? ""}`.trim());
  },
};
