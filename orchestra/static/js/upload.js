// Uploads: cards and drop zone where the page has them, a chip in the header elsewhere, so that they go on while one searches.
import { Cards } from "./upload/cards.js";
import { watchDrops, watchPickers } from "./upload/drop.js";
import { Queue } from "./upload/queue.js";

const zone = document.getElementById("uploader");
const { user } = document.body.dataset;
const queue = new Queue(user, zone ? Number(zone.dataset.max) : Infinity);
const announcer = document.getElementById("announcer");

if (zone) {
  const cards = new Cards(queue);
  queue.onadd = (transfer) => cards.add(transfer);
  queue.onremove = (transfer) => cards.remove(transfer);
  queue.onchange = (transfer) => {
    cards.update(transfer);
    announce(transfer);
  };
  const add = (file, handle) => queue.add(file, handle);
  watchPickers(add);
  watchDrops(add);
} else {
  queue.onadd = queue.onremove = queue.onchange = showChip;
}

document.addEventListener("orchestra:file-deleted", (event) => queue.forgetFile(event.detail.id));
addEventListener("beforeunload", (event) => {
  // Only where leaving costs something: what is stored goes on by itself on the next page.
  if (queue.transfers.some((one) => one.active && !one.stored)) event.preventDefault();
});
queue.takeUp();

function announce(transfer) {
  if (transfer.state === transfer.said) return;
  transfer.said = transfer.state;
  if (transfer.state === "failed") announcer.textContent = `${transfer.name}: ${transfer.error?.message ?? "failed"}`;
  if (transfer.state !== "done" || !transfer.duplicate) return;
  announcer.textContent = transfer.restored ? `${transfer.name} came back from the trash.` : `${transfer.name} is already here.`;
  if (transfer.restored) document.dispatchEvent(new CustomEvent("orchestra:file-restored", { detail: { id: transfer.fileId } }));
}

function showChip() {
  const chip = document.getElementById("upload-chip");
  const open = queue.transfers.filter((one) => !["done", "gone"].includes(one.state));
  chip.hidden = !open.length;
  if (!open.length) return;
  const stuck = open.filter((one) => ["failed", "needs-file"].includes(one.state)).length;
  const sent = open.reduce((sum, one) => sum + one.sent, 0);
  const size = open.reduce((sum, one) => sum + one.size, 0);
  chip.textContent = stuck ? `${stuck} upload${stuck === 1 ? "" : "s"} need you` : `Uploading ${Math.floor((100 * sent) / (size || 1))} %`;
}
