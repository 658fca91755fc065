// What is said about a file's status, with the server's words (`files/status_text.py`).
import { clock, count } from "../format.js";

const holder = document.getElementById("status-words");
const { labels, stages, texts, silentAfter } = holder ? JSON.parse(holder.textContent) : {};

const fill = (name, values) => texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
const counted = (name, number) => (number === 1 ? texts[`${name}_one`] : fill(`${name}_many`, { count: count(number) }));

export const label = (file) => labels[file.status] ?? file.status;

export function sentence(file) {
  return (SENTENCES[file.status] ?? (() => ""))(file);
}

const SENTENCES = {
  uploading: () => texts.uploading,
  queued: waiting,
  processing: running,
  ready: searchable,
  partial: searchable,
  failed: (file) => file.error?.message ?? "",
  cancelled: () => texts.cancelled,
};

function waiting(file) {
  if (file.retry_at) return fill("retry_at", { time: clock(file.retry_at) });
  if (file.waiting_behind === null) return "";
  return file.waiting_behind ? counted("waiting", file.waiting_behind) : texts.next;
}

function running(file) {
  const progress = file.progress;
  if (!progress) return "";
  if (progress.heartbeat_age > silentAfter) return fill("silent", { seconds: Math.round(progress.heartbeat_age) });
  const said = progressSentence(progress);
  return file.attempt > 1 ? `${said} (${fill("attempt", file)})` : said;
}

function progressSentence({ stage, done, total, unit }) {
  const doing = stages[stage] ?? stage;
  if (!done) return doing;
  return fill(total ? "progress_of" : "progress", { stage: doing, done: count(done), total: count(total), unit });
}

function searchable(file) {
  const passages = file.chunk_count ? counted("passages", file.chunk_count) : texts.passages_none;
  return file.warnings.length ? `${passages} ${counted("warnings", file.warnings.length)}` : passages;
}
