// Takes the panel of a page of the server's over. The server escapes what it renders, and a parsed document runs no
// scripts: its part can be taken as it is.
import { localTimes } from "../format.js";

export function takePanel(fresh) {
  const panel = fresh.getElementById("panel");
  if (!panel) return false;
  localTimes(panel);
  document.getElementById("panel").replaceChildren(...panel.childNodes);
  return true;
}
