// Says the ends of processing aloud, a few seconds' worth in one sentence.
const ENDS = { ready: "ready", partial: "read in part", failed: "failed" };
let pending = [];
let timer = null;

export function announceEnd(file, before) {
  if (!before || before === file.status || !(file.status in ENDS)) return;
  pending.push(file);
  timer ??= setTimeout(say, 1500);
}

function say() {
  const files = pending;
  pending = [];
  timer = null;
  const announcer = document.getElementById("announcer");
  if (files.length === 1) announcer.textContent = `${files[0].name}: ${ENDS[files[0].status]}.`;
  else announcer.textContent = `${files.length} files done, ${files.filter((f) => f.status === "failed").length} failed.`;
}
