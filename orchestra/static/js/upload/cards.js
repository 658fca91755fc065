// A card per upload, in words that say what is going on. Text only: names are data.
import { bytes, duration } from "../format.js";

const SUCCESS_SHOWN = 4_000;
const SHOWN = {
  pause: ["waiting", "starting", "sending", "offline"],
  resume: ["paused"],
  retry: ["failed", "offline"],
  cancel: ["waiting", "starting", "sending", "paused", "offline", "needs-file"],
  dismiss: ["done"],
};

export class Cards {
  constructor(queue) {
    this.queue = queue;
    this.panel = document.getElementById("uploads");
    this.list = document.getElementById("upload-cards");
    this.elements = new Map();
    this.frame = null;
    this.changed = new Set();
    document.getElementById("uploads-clear").addEventListener("click", () => this.#clear());
    setInterval(() => this.#tick(), 1000);
  }

  add(transfer) {
    const card = document.getElementById("upload-card").content.firstElementChild.cloneNode(true);
    part(card, "name").textContent = transfer.name;
    card.addEventListener("click", (event) => this.#act(transfer, event));
    card.querySelector("[data-do=choose]").addEventListener("change", (event) => this.#choose(transfer, event.target));
    for (const button of card.querySelectorAll("[data-do]:is(button)")) {
      button.setAttribute("aria-label", `${button.textContent}: ${transfer.name}`);
    }
    this.elements.set(transfer, card);
    this.list.append(card);
    this.panel.hidden = false;
    this.#show(transfer);
  }

  // Many progress events, one drawing per frame.
  update(transfer) {
    this.changed.add(transfer);
    // A plain success needs no card for long: the file is in the list below.
    if (transfer.state === "done" && !transfer.duplicate) setTimeout(() => this.queue.dismiss(transfer), SUCCESS_SHOWN);
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      for (const one of this.changed) this.#show(one);
      this.changed.clear();
    });
  }

  remove(transfer) {
    this.elements.get(transfer)?.remove();
    this.elements.delete(transfer);
    this.panel.hidden = !this.elements.size;
    this.#sum();
  }

  #act(transfer, event) {
    const name = event.target.closest("button")?.dataset.do;
    if (name === "retry" && transfer.state === "offline") dispatchEvent(new Event("online"));
    else if (name === "retry") this.queue.resume(transfer);
    else if (name) this.queue[name](transfer);
  }

  #choose(transfer, picker) {
    const file = picker.files[0];
    picker.value = "";
    if (file && !this.queue.give(transfer, file)) {
      transfer.set("needs-file", { message: `That is another file. Choose ${transfer.name} as it was.`, hint: "" });
    }
  }

  #clear() {
    for (const transfer of [...this.elements.keys()]) if (transfer.state === "done") this.queue.dismiss(transfer);
  }

  #tick() {
    for (const transfer of this.elements.keys()) if (transfer.active) this.#show(transfer);
  }

  #show(transfer) {
    const card = this.elements.get(transfer);
    if (!card) return;
    card.dataset.state = transfer.state;
    setText(part(card, "sentence"), sentence(transfer));
    const hint = part(card, "hint");
    setText(hint, transfer.error?.hint ?? "");
    hint.hidden = !hint.textContent;
    const bar = part(card, "bar");
    bar.max = transfer.size || 1;
    bar.value = transfer.state === "done" ? bar.max : transfer.sent;
    bar.hidden = transfer.state === "done";
    for (const button of card.querySelectorAll("button")) button.hidden = !offered(button.dataset.do, transfer);
    part(card, "choose").hidden = transfer.state !== "needs-file";
    const open = part(card, "open");
    open.hidden = !transfer.fileId;
    if (transfer.fileId) open.href = `/files/${transfer.fileId}`;
    this.#sum();
  }

  #sum() {
    const all = [...this.elements.keys()];
    const running = all.filter((one) => one.active);
    const waiting = all.filter((one) => one.state === "waiting").length;
    const done = all.filter((one) => one.state === "done").length;
    const parts = [`${done} of ${all.length} done`];
    const speed = running.reduce((sum, one) => sum + one.speed.perSecond, 0);
    if (waiting) parts.push(`${waiting} waiting for their turn`);
    if (speed) parts.push(`${bytes(Math.round(speed))}/s`);
    setText(document.getElementById("uploads-sum"), all.length ? parts.join(" · ") : "");
    document.getElementById("uploads-clear").hidden = !done;
  }
}

function offered(action, { state, id, handle, error }) {
  if (state === "needs-file" && action === "resume") return Boolean(handle);
  if (state !== "failed") return SHOWN[action].includes(state);
  // What the server never took needs no cancelling there.
  return action === "retry" ? !error?.final : action === (id ? "cancel" : "dismiss");
}

const SENTENCES = {
  waiting: ({ size }) => `${bytes(size)}, waiting for its turn`,
  starting: ({ size }) => `${bytes(size)}, asking the server`,
  sending,
  paused: (one) => `Paused at ${amount(one)}`,
  offline: ({ error, retryAt }) => `${error?.message ?? ""} Trying again in ${duration((retryAt - Date.now()) / 1000)}.`,
  "needs-file": (one) => one.error?.message ?? `${amount(one)} arrived. Choose the same file again, and the rest is sent.`,
  failed: ({ error }) => error?.message ?? "The upload failed.",
  done: ({ duplicate, restored, size }) => {
    if (restored) return "Back from the trash: you uploaded the same content before.";
    return duplicate ? "Already here: you uploaded the same content before." : `${bytes(size)} uploaded.`;
  },
  gone: () => "Cancelled.",
};

const sentence = (transfer) => SENTENCES[transfer.state](transfer);
const amount = ({ sent, size }) => `${bytes(sent)} of ${bytes(size)}`;

function sending(transfer) {
  const { sent, size } = transfer;
  if (sent >= size) return `${bytes(size)} sent; the server is checking them`;
  const speed = transfer.speed.perSecond;
  if (!speed) return amount(transfer);
  return `${amount(transfer)} · ${bytes(Math.round(speed))}/s · about ${duration((size - sent) / speed)} left`;
}

const part = (card, name) => card.querySelector(`[data-slot="${name}"]`);

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
