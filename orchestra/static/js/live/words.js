// What is said about a file's status: the server's sentence (`files/status_text.py`), but for times, which are shown by
// the browser's clock.
import { clock } from "../format.js";

const holder = document.getElementById("status-words");
const { labels, retryAt } = holder ? JSON.parse(holder.textContent) : {};

export const label = (file) => labels[file.status] ?? file.status;

export function sentence(file) {
  if (file.situation.code === "waiting_for_retry") return retryAt.replace("{time}", clock(file.retry_at));
  return file.situation.message;
}
