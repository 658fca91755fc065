// Keeps a page of files true: one socket, polling while there is none, and a badge that says which.
import { Connection } from "./live/connection.js";
import { showBadge } from "./live/badge.js";
import { FilePage } from "./live/file_page.js";
import { HomePage } from "./live/home.js";
import { FileList } from "./live/list.js";
import { watchActions } from "./live/actions.js";

const list = document.getElementById("file-list");
const file = document.getElementById("file-page");
const home = document.getElementById("home");
const view = home ? new HomePage(home) : list ? new FileList(list) : file ? new FilePage(file) : null;

if (view) {
  const connection = new Connection(view);
  connection.onstate = showBadge;
  watchActions(view);
  document.addEventListener("orchestra:file-restored", (event) => view.expect?.(event.detail.id) && connection.refresh());
  connection.start();
}
