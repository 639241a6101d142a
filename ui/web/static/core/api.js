// Asking the API. What went wrong is one of the kinds that the page draws differently.

export class Refusal extends Error {
  // kind: "unset" (this instance has no such thing), "refused" (not for you), "busy" (later),
  // "wrong" (the question), "lost" (no answer).
  constructor(kind, message, status = 0, retryAfter = 0) {
    super(message);
    Object.assign(this, { kind, status, retryAfter });
  }
}

const KINDS = { 400: "wrong", 401: "refused", 403: "refused", 404: "unset", 409: "wrong", 422: "wrong", 429: "busy", 501: "unset", 503: "busy" };

// Only in memory: a page that is left forgets it.
let token = "";
export const setToken = (text) => { token = text; };
export const hasToken = () => token !== "";

async function reason(response) {
  try {
    const problem = await response.json();
    return problem.detail || problem.title || `${response.status}`;
  } catch {
    return `the answer was ${response.status}`;
  }
}

async function call(path, options) {
  const headers = { accept: "application/json", ...options.headers };
  if (token) headers.authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("lost", "the service does not answer");
  }
  if (response.ok) return response.json();
  const kind = KINDS[response.status] ?? "busy";
  throw new Refusal(kind, await reason(response), response.status, Number(response.headers.get("retry-after") ?? 0));
}

export function query(parameters) {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "" && value !== null && value !== undefined) all.set(name, value);
  }
  const text = all.toString();
  return text ? `?${text}` : "";
}

export const get = (path, parameters = {}, signal = undefined) => call(`${path}${query(parameters)}`, { signal });
export const send = (path, body) => call(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
