// Many files chosen at once: a bar that appears with the first one, counts them and is announced.
import { count } from "../format.js";

export function watchSelection(rows) {
  const bar = document.getElementById("selection");
  const which = document.getElementById("which");
  const page = document.getElementById("choose-page");
  const boxes = () => [...rows.querySelectorAll("[name=file]")];
  let announced = "";

  function show() {
    const chosen = boxes().filter((box) => box.checked).length;
    if (which.value === "chosen" || !chosen) which.value = "chosen";
    bar.toggleAttribute("data-on", chosen > 0);
    page.checked = chosen > 0 && chosen === boxes().length;
    page.indeterminate = chosen > 0 && !page.checked;
    const text = which.value === "matching" ? `${which.selectedOptions[0].label} chosen` : `${count(chosen)} chosen`;
    document.getElementById("selection-count").textContent = text;
    which.options[0].label = chosen === 1 ? "The chosen file" : `The ${count(chosen)} chosen files`;
    if (chosen || announced) announce(chosen ? `${text}. What to do with them stands below the list.` : "No file is chosen.");
    if (!chosen) announced = "";
  }

  function announce(text) {
    if (text === announced) return;
    announced = text;
    document.getElementById("announcer").textContent = text;
  }

  function chooseAll(on) {
    for (const box of boxes()) box.checked = on;
  }

  rows.addEventListener("change", (event) => {
    if (event.target.name !== "file") return;
    which.value = "chosen";
    show();
  });
  page.addEventListener("change", () => {
    chooseAll(page.checked);
    which.value = "chosen";
    show();
  });
  which.addEventListener("change", () => {
    if (which.value !== "chosen") chooseAll(true);
    show();
  });
  // Rows come and go by the socket.
  new MutationObserver(show).observe(rows, { childList: true });
  // A browser that comes back to the page brings the ticks with it.
  addEventListener("pageshow", show);
  show();
}
