// What the list of files does besides staying true (`live.js`): rows by keyboard, many chosen at once.
import { watchRowKeys } from "./list/rows.js";
import { watchSelection } from "./list/selection.js";

const rows = document.getElementById("file-rows");
watchRowKeys(rows);
watchSelection(rows);
