// Numbers, sizes and times for people, in the reader's locale and zone.
const whole = new Intl.NumberFormat();
const tenth = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const UNITS = ["KB", "MB", "GB", "TB"];

export const count = (number) => whole.format(number);

// Counts in 1,024, as the server's pages do.
export function bytes(number) {
  if (number < 1024) return number === 1 ? "1\u00a0byte" : `${whole.format(number)}\u00a0bytes`;
  let value = number / 1024;
  let unit = 0;
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${tenth.format(value)}\u00a0${UNITS[unit]}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${tenth.format(seconds / 3600)} h`;
}

const STYLES = {
  day: { dateStyle: "medium" },
  moment: { dateStyle: "medium", timeStyle: "short" },
  seconds: { dateStyle: "medium", timeStyle: "medium" },
};

export function clock(iso) {
  return new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(new Date(iso));
}

export function showTime(element, iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return;
  const style = STYLES[element.dataset.local] ?? STYLES.moment;
  element.dateTime = iso;
  element.textContent = new Intl.DateTimeFormat(undefined, style).format(at);
  element.title = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" }).format(at);
}

export function localTimes(root) {
  for (const element of root.querySelectorAll("time[data-local][datetime]")) showTime(element, element.dateTime);
}
