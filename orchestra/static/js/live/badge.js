// The connection's state in the header, in words.
const WORDS = {
  connecting: ["Connecting", "Asking the server for live changes."],
  live: ["Live", "Changes arrive as they happen."],
  polling: ["Polling", "The live connection is blocked or lost; this page asks every 3 seconds instead."],
  offline: ["Offline", "The server cannot be reached. What you see may be out of date."],
  "signed-out": ["Signed out", "Your session has ended. Sign in again to go on."],
};

export function showBadge(state) {
  const badge = document.getElementById("connection");
  if (!badge) return;
  badge.hidden = false;
  badge.dataset.state = state;
  [badge.textContent, badge.title] = WORDS[state];
  if (state === "signed-out") offerSignIn();
}

function offerSignIn() {
  if (document.getElementById("session-ended")) return;
  const note = document.createElement("p");
  note.id = "session-ended";
  note.className = "message message-error";
  note.setAttribute("role", "alert");
  const link = document.createElement("a");
  link.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = "Sign in again";
  note.append("Your session has ended. ", link, ".");
  document.getElementById("messages").append(note);
}
