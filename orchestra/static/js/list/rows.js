// Moves from row to row, and chooses the one that has the focus. The keys are named by the page (`shortcuts.js`).
const linkOf = (row) => row?.querySelector("[data-slot=name]");

export function watchRowKeys(rows) {
  document.addEventListener("orchestra:shortcut", (event) => {
    const here = document.activeElement?.closest("#file-rows > li");
    const { name } = event.detail;
    if (name === "next") move(here ? here.nextElementSibling : rows.firstElementChild);
    if (name === "previous") move(here ? here.previousElementSibling : rows.lastElementChild);
    if (name === "choose") here?.querySelector("[name=file]")?.click();
  });
}

function move(row) {
  linkOf(row)?.focus();
  row?.scrollIntoView({ block: "nearest" });
}
