// Files from a drop or a picker, folders walked through. Calls `add(file, handle)` for each.
export function watchPickers(add) {
  for (const id of ["pick-files", "pick-folder"]) {
    const picker = document.getElementById(id);
    picker.addEventListener("change", () => {
      for (const file of picker.files) if (wanted(file)) add(file);
      picker.value = ""; // so that the same file can be chosen again
    });
  }
}

// The whole page takes drops: nobody should hit a target, and a miss would make the browser leave the page.
export function watchDrops(add) {
  let depth = 0;
  const mark = () => document.body.classList.toggle("dropping", depth > 0);
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    mark();
  });
  addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    mark();
  });
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    mark();
    // All items must be asked for now: the list is empty once this handler returns.
    for (const item of [...event.dataTransfer.items]) if (item.kind === "file") takeItem(item, add);
  });
}

async function takeItem(item, add) {
  const entry = item.webkitGetAsEntry?.();
  const handle = item.getAsFileSystemHandle?.() ?? null;
  const file = item.getAsFile();
  if (entry?.isDirectory) {
    for await (const found of filesIn(entry)) if (wanted(found)) add(found);
  } else if (file) {
    add(file, await handle?.catch(() => null));
  }
}

async function* filesIn(entry) {
  if (entry.isFile) {
    yield await new Promise((resolve, reject) => entry.file(resolve, reject));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // Each call gives a part of the folder, and an empty one at its end.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return;
    for (const inner of entries) yield* filesIn(inner);
  }
}

// What systems leave in folders is nobody's file.
function wanted(file) {
  return ![".DS_Store", "Thumbs.db", "desktop.ini"].includes(file.name);
}
