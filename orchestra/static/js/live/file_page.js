// The page of one file: its status follows the file; what was read is fetched again when the status changes.
import { takePanel } from "../tabs/panel.js";
import { announceEnd } from "./announce.js";
import { showFile, slot } from "./element.js";

export class FilePage {
  constructor(root) {
    this.root = root;
    this.id = root.dataset.file;
    this.gone = false;
  }

  ids() {
    return this.gone ? [] : [this.id];
  }

  unsettled() {
    return ["queued", "processing"].includes(this.root.dataset.status) ? this.ids() : [];
  }

  wantsNew() {
    return false;
  }

  apply(files) {
    const file = files.find((one) => one.id === this.id);
    if (!file || this.gone) return;
    const before = showFile(this.root, file);
    announceEnd(file, before);
    if (before !== null && before !== file.status) this.#reread();
  }

  remove(id) {
    if (id !== this.id || this.gone) return;
    this.gone = true;
    document.getElementById("gone").hidden = false;
    document.getElementById("details").hidden = true;
    document.querySelector("#preview video, #preview audio")?.pause();
    slot(this.root, "status").closest("section").hidden = true;
  }

  counts() {}

  // The server escapes what it renders, and a parsed document runs no scripts: its part can be taken over as it is.
  async #reread() {
    try {
      const response = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
      if (!response.ok || response.redirected) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      takePanel(fresh);
      takePreview(fresh);
    } catch {
      // The next change of status, or a reload, brings it.
    }
  }
}

// A film or a sound that is the same goes on.
function takePreview(fresh) {
  const [shown, now] = [document.getElementById("preview"), fresh.getElementById("preview")];
  if (!now || shown.dataset.key === now.dataset.key) return;
  shown.dataset.key = now.dataset.key;
  shown.replaceChildren(...now.childNodes);
}
