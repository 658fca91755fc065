// The search page: modes chosen without losing what was typed, and a mode at work: its steps and its sentences as they
// come, then what was found.
import { csrfToken } from "./api.js";

const form = document.getElementById("search-form");
const live = document.getElementById("live");
const said = document.getElementById("live-answer");
const steps = document.getElementById("live-steps");
const bar = document.getElementById("live-status");
const button = document.getElementById("live-stop");
const results = document.getElementById("results");
const links = [...document.querySelectorAll(".modes a[data-mode]")];
let running = null;
let section = null;

document.addEventListener("submit", (event) => {
  if (event.target.hasAttribute("data-streams")) ask(event);
});
button.addEventListener("click", () => stop("Stopped."));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !running) return;
  event.preventDefault(); // a search box would empty itself
  stop("Stopped.");
});
// What is left empty makes addresses long and says nothing.
form.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});
for (const link of links) link.addEventListener("click", choose);
// The address was changed without a load: going back loads what stood there.
addEventListener("popstate", () => location.reload());

// A mode is chosen where the page stands, so that what was typed is asked in it. Without this the link is followed.
// What was typed for private mode is asked in no other one: that would keep it.
function choose(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const link = event.currentTarget;
  const isPrivate = link.hasAttribute("data-private");
  if (form.method === "post" && !isPrivate) form.elements.q.value = "";
  const address = new URL(link.href);
  address.searchParams.delete("q");
  for (const other of links) other.toggleAttribute("aria-current", false);
  link.setAttribute("aria-current", "true");
  form.elements.mode.value = link.dataset.mode;
  form.toggleAttribute("data-streams", link.dataset.mode !== "basic");
  form.method = isPrivate ? "post" : "get";
  form.autocomplete = isPrivate ? "off" : "on";
  form.action = isPrivate ? `${address.pathname}?mode=${link.dataset.mode}` : address.pathname;
  form.querySelector("[name=csrfmiddlewaretoken]")?.remove();
  if (isPrivate) form.prepend(hidden("csrfmiddlewaretoken", csrfToken()));
  if (isPrivate) {
    document.title = "Search · Orchestra";
    document.getElementById("follow-up")?.remove();
  }
  const next = document.querySelector("#follow-up [name=mode]");
  if (next) next.value = link.dataset.mode;
  history.replaceState(null, "", address);
  running?.abort();
  running = null;
  live.hidden = true;
  results.before(live);
  if (form.elements.q.value.trim()) form.requestSubmit();
  else form.elements.q.focus();
}

function hidden(name, value) {
  const input = document.createElement("input");
  Object.assign(input, { type: "hidden", name, value });
  return input;
}

async function ask(event) {
  event.preventDefault();
  running?.abort();
  const mine = (running = new AbortController());
  const asking = event.target;
  const body = new FormData(asking);
  begin(asking);
  try {
    const response = await fetch(asking.action, {
      method: "POST",
      headers: { Accept: "text/event-stream", "X-CSRFToken": csrfToken() },
      body,
      credentials: "same-origin",
      cache: "no-store",
      signal: mine.signal,
    });
    if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      asking.submit(); // the page says what is wrong
      return;
    }
    await read(response.body.pipeThrough(new TextDecoderStream()).getReader());
    if (running === mine) stop("The answer broke off.", true);
  } catch {
    if (running === mine) stop("The server cannot be reached.", true);
  }
}

// A follow-up is answered below what it follows; everything else takes the place of what was found before.
function begin(asking) {
  if (asking === form) {
    results.before(live);
    results.replaceChildren();
  } else {
    form.elements.q.value = ""; // the box above asks something new
    asking.after(live);
    asking.querySelector("button").disabled = true;
  }
  document.querySelector(".modes").classList.add("modes-brief");
  steps.replaceChildren();
  said.replaceChildren();
  section = null;
  bar.textContent = "Searching";
  bar.classList.remove("field-error");
  button.hidden = false;
  live.hidden = false;
  live.scrollIntoView({ block: "nearest" });
}

function stop(sentence, wrong = false) {
  running?.abort();
  running = null;
  bar.textContent = sentence;
  bar.classList.toggle("field-error", wrong);
  button.hidden = true;
  const again = results.querySelector("#follow-up button");
  if (again) again.disabled = false;
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
    const place = paragraph(sentence.section);
    if (sentence.supported) place.append(`${sentence.text} `, ...sentence.citations.map(mark));
    else place.append(element("span", sentence.text, "unsupported"), " ", element("span", "not found in your files", "badge"), " ");
  },
  citations(citations) {
    for (const { number, address, file_name: name } of citations) {
      for (const place of said.querySelectorAll(`[data-number="${number}"]`)) {
        const link = element("a", `[${number}]`, "cite");
        link.href = address;
        link.title = name;
        link.setAttribute("aria-label", `Source ${number}: ${name}`);
        place.replaceChildren(link, " ");
      }
    }
  },
  result({ html, address }) {
    running = null;
    const again = live.contains(document.activeElement) || results.contains(document.activeElement);
    live.hidden = true;
    steps.replaceChildren();
    said.replaceChildren();
    results.before(live);
    results.innerHTML = html; // our own template, escaped by the server
    if (address) history.pushState(null, "", address);
    const sum = results.querySelector(".search-sum")?.textContent.trim().replace(/\s+/g, " ") ?? "";
    document.getElementById("announcer").textContent = `${results.querySelector(".answer") ? "Answered. " : ""}${sum}`;
    if (again) results.querySelector("#next")?.focus({ preventScroll: true });
    results.querySelector(".turns ~ .turn-question")?.scrollIntoView({ block: "start" });
  },
  error({ error }) {
    stop(`${error.message} ${error.hint ?? ""}`.trim(), true);
  },
};

function mark(number) {
  const place = element("span", `[${number}] `);
  place.dataset.number = number;
  return place;
}

function paragraph(heading) {
  if (!section || section.heading !== heading) {
    if (heading) said.append(element("h2", heading));
    section = { heading, part: element("p", "") };
    said.append(section.part);
  }
  return section.part;
}

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.dir = "auto";
  if (className) made.className = className;
  return made;
}
