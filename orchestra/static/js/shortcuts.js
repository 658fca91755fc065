// Keyboard shortcuts of whatever page this is: elements with `data-keys`, which are also the list that "?" opens.
//
// A key focuses its element, or presses it if it is a button; with `data-key-event` it is told to whoever listens for
// "orchestra:shortcut" (an empty name: the browser does it by itself). `data-key-within` says where the focus must be.
const SWITCH = "orchestra-shortcuts"; // "off" in localStorage
const NOT_TYPED_IN = ["button", "checkbox", "file", "image", "reset", "submit"];
const SPOKEN = { ArrowDown: "↓", ArrowUp: "↑" };
const dialog = document.getElementById("shortcuts");
const onOff = document.getElementById("shortcuts-on");

function areOn() {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

function keep(on) {
  try {
    if (on) localStorage.removeItem(SWITCH);
    else localStorage.setItem(SWITCH, "off");
  } catch {
    // It holds until the page is left.
  }
}

const all = () => [...document.querySelectorAll("[data-keys]")];
const keysOf = (element) => element.dataset.keys.split(" ");

function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !NOT_TYPED_IN.includes(target.type);
  return target.isContentEditable || ["TEXTAREA", "SELECT", "AUDIO", "VIDEO"].includes(target.tagName);
}

function isHere(element, target) {
  const { keyWithin } = element.dataset;
  return !keyWithin || Boolean(target.closest?.(keyWithin));
}

function press(element) {
  const name = element.dataset.keyEvent;
  if (name) element.dispatchEvent(new CustomEvent("orchestra:shortcut", { bubbles: true, detail: { name } }));
  else if (element instanceof HTMLButtonElement) element.click();
  else {
    element.focus();
    element.select?.();
  }
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!onOff.checked || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const element = all().find((one) => keysOf(one).includes(event.key) && isHere(one, event.target));
  if (!element || element.dataset.keyEvent === "") return;
  event.preventDefault();
  press(element);
});

function line(element) {
  const keys = document.createElement("dt");
  for (const key of keysOf(element)) {
    const shown = document.createElement("kbd");
    shown.textContent = SPOKEN[key] ?? key;
    keys.append(shown);
  }
  const label = document.createElement("dd");
  label.textContent = element.dataset.keyLabel;
  const pair = document.createElement("div");
  pair.append(keys, label);
  return pair;
}

document.getElementById("shortcuts-open").addEventListener("click", () => {
  document.getElementById("shortcuts-list").replaceChildren(...all().map(line));
  dialog.showModal();
});
onOff.checked = areOn();
onOff.addEventListener("change", () => keep(onOff.checked));
addEventListener("storage", (event) => {
  if (event.key === SWITCH || event.key === null) onOff.checked = areOn();
});
