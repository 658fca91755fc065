// Opens the real status socket from this browser and says in words what happened to it on the way.
const OPEN_WITHIN = 5_000;
const SNAPSHOT_WITHIN = 5_000;
const SIGNED_OUT = 4401;

const PROXY =
  "A proxy or a filter between this browser and the server does not pass WebSockets on. Let it pass Upgrade and " +
  "Connection for /ws/ (manage.py doctor --proxy says how). Pages ask every few seconds meanwhile.";
const SILENT =
  "Something on the way opens sockets and holds messages back: look for a proxy that buffers answers, or a virus scanner.";

// Resolves to { ok, message, remedy, milliseconds }; never rejects.
export function trySocket() {
  const began = performance.now();
  return new Promise((resolve) => {
    let opened = false;
    let timer = null;
    const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/status/`;
    let socket;
    const end = (ok, message, remedy = "") => {
      clearTimeout(timer);
      if (socket) socket.onclose = socket.onerror = socket.onmessage = null;
      socket?.close();
      resolve({ ok, message, remedy, milliseconds: Math.round(performance.now() - began) });
    };
    try {
      socket = new WebSocket(address);
    } catch {
      end(false, "This browser refuses to open a socket to this address.", "Open the page by https:// throughout.");
      return;
    }
    timer = setTimeout(() => end(false, "The socket did not open within 5 seconds.", PROXY), OPEN_WITHIN);
    socket.onopen = () => {
      opened = true;
      clearTimeout(timer);
      timer = setTimeout(() => end(false, "The socket opened, and nothing came over it.", SILENT), SNAPSHOT_WITHIN);
    };
    socket.onmessage = () => {
      const milliseconds = Math.round(performance.now() - began);
      end(true, `/ws/status/ opened and sent the state of your files after ${milliseconds} ms.`);
    };
    socket.onclose = ({ code }) => {
      if (code === SIGNED_OUT) end(false, "The server says that you are not signed in.", "Sign in again.");
      else if (opened) end(false, `The socket was closed with ${code} before anything came.`, "Look at the web's log, and at `redis` above.");
      else end(false, "The socket could not be opened: it was refused on the way.", PROXY);
    };
  });
}
