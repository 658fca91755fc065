// Requests to /api/ as the signed-in user, and its errors as sentences.

// What the server refused, in its words.
export class ApiError extends Error {
  constructor(status, body) {
    const error = body?.error ?? {};
    super(error.message || `The server answered ${status}.`);
    this.status = status;
    this.code = error.code ?? "";
    this.hint = error.hint ?? "";
    this.details = error.details ?? {};
  }

  // Whether the same request may succeed later without anybody doing anything.
  get passing() {
    return (this.status >= 500 && this.status !== 507) || this.status === 429 || this.status === 408;
  }

  get signedOut() {
    return this.status === 401 || (this.status === 403 && this.code !== "permission_denied");
  }
}

// No answer came: the line is cut or the server is away.
export class LineError extends Error {
  constructor() {
    super("The server cannot be reached.");
  }
}

// The cookie is newer than the page when somebody signed in again in another tab.
export function csrfToken() {
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : (document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "");
}

export async function request(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    throw new LineError();
  }
  return read(response.status, await response.text().catch(() => ""));
}

// Returns the answer of a 2xx; throws ApiError for everything else.
export function read(status, text) {
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    body = null; // a proxy's error page
  }
  if (status < 200 || status >= 300) throw new ApiError(status, body);
  return body;
}
