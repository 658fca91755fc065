// One chunk on the wire, and digests.
import { csrfToken, LineError, read } from "../api.js";

// The SHA-256 in hex, or "" where the browser has no crypto.subtle: on plain http away from localhost.
export async function digest(buffer) {
  if (!globalThis.crypto?.subtle) return "";
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", buffer));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Sends bytes [start, end) and returns the server's answer. XMLHttpRequest, because fetch tells nothing about what has left.
export function sendChunk({ id, buffer, start, size, sha256, signal, onsent }) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    const abort = () => call.abort();
    const settle = (act) => () => {
      signal.removeEventListener("abort", abort);
      act();
    };
    call.open("PUT", `/api/files/${id}/upload`);
    call.setRequestHeader("Content-Type", "application/octet-stream");
    call.setRequestHeader("Content-Range", `bytes ${start}-${start + buffer.byteLength - 1}/${size}`);
    call.setRequestHeader("Accept", "application/json");
    call.setRequestHeader("X-CSRFToken", csrfToken());
    if (sha256) call.setRequestHeader("X-Chunk-SHA256", sha256);
    call.timeout = 300_000;
    call.upload.onprogress = (event) => onsent(event.loaded);
    call.onload = settle(() => {
      try {
        resolve(read(call.status, call.responseText));
      } catch (error) {
        reject(error);
      }
    });
    call.onerror = call.ontimeout = settle(() => reject(new LineError()));
    call.onabort = settle(() => reject(new DOMException("stopped", "AbortError")));
    if (signal.aborted) {
      reject(new DOMException("stopped", "AbortError"));
      return;
    }
    signal.addEventListener("abort", abort);
    call.send(buffer);
  });
}
