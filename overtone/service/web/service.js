// Requests to the service: with the API key, with retries while it is overloaded, and with readable errors.

const KEY = "overtone-key";
const MAX_ATTEMPTS = 40; // each waits for as long as the service asks for
const MAX_WAIT_S = 60, DEFAULT_WAIT_S = 2;
const RETRY_STATUSES = [429, 502, 503, 504]; // from the service, or from a proxy while the service starts

export class RequestError extends Error {
  // `retryAfterS` is the time until a retry may succeed; null if a retry does not help.
  constructor(message, status = 0, retryAfterS = null) {
    super(message);
    Object.assign(this, { status, retryAfterS });
  }
}

let key = "";
try {
  key = sessionStorage.getItem(KEY) ?? ""; // until the tab is closed
} catch {} // the browser blocks storage

export const getKey = () => key;
export function setKey(text) {
  key = text.replace(/[^\x21-\x7e]/g, ""); // headers cannot contain the invisible characters of a copied text
  try {
    sessionStorage.setItem(KEY, key);
  } catch {}
}

export const absoluteUrl = (path) => new URL(path, document.baseURI).href;
const authHeaders = () => (key ? { Authorization: `Bearer ${key}` } : {});
const unreachable = () =>
  new RequestError("The service cannot be reached: it may be stopped, or the network is down.", 0, DEFAULT_WAIT_S);

function parseError(status, text, retryAfter) {
  let message = `The service returned status ${status}.`;
  try {
    message = JSON.parse(text).error.message;
  } catch {} // from a proxy, not from the service
  const retryAfterS = RETRY_STATUSES.includes(status) ? Number(retryAfter) || DEFAULT_WAIT_S : null;
  return new RequestError(message, status, retryAfterS);
}

const toRequestError = (error) => {
  throw error.name === "AbortError" ? error : unreachable();
};

// Sends a request; returns the content of the response as "json", "text" or "blob". Throws `RequestError`.
export const request = async (path, type, options) => (await respond(path, type, options)).content;

// Likewise, with the entity tag of the response. A proxy that compresses responses weakens it; that of the service is
// strong.
export async function respond(path, type, options = {}) {
  const headers = { ...options.headers, ...authHeaders() };
  const response = await fetch(absoluteUrl(path), { ...options, headers }).catch(toRequestError);
  const content = await response[response.ok ? type : "text"]().catch(toRequestError);
  if (!response.ok) throw parseError(response.status, content, response.headers.get("Retry-After"));
  return { content, etag: (response.headers.get("ETag") ?? "").replace(/^W\//, "") };
}

// Uploads a form and returns the JSON object of the response. `onProgress` receives the sent share, from 0 to 1:
// `fetch` cannot report it.
export async function upload(path, form, idempotencyKey, onProgress, signal) {
  const xhr = new XMLHttpRequest();
  const completed = new Promise((resolve, reject) => {
    xhr.open("POST", absoluteUrl(path));
    for (const [name, value] of Object.entries({ ...authHeaders(), "Idempotency-Key": idempotencyKey }))
      xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    xhr.upload.onload = () => onProgress(1);
    xhr.onload = resolve;
    xhr.onerror = () => reject(unreachable());
    xhr.onabort = () => reject(abortError());
    signal.addEventListener("abort", () => xhr.abort(), { once: true });
  });
  if (signal.aborted) throw abortError();
  xhr.send(form);
  await completed;
  const { status, responseText } = xhr;
  if (status >= 300) throw parseError(status, responseText, xhr.getResponseHeader("Retry-After"));
  try {
    return JSON.parse(responseText);
  } catch {
    throw new RequestError("The response is not from the service: a proxy may have sent it.", status);
  }
}

// Runs an action, and retries it while the service is overloaded; `onWait` receives the reason of each wait.
export async function withRetries(action, onWait, signal) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof RequestError) || error.retryAfterS === null || attempt >= MAX_ATTEMPTS) throw error;
      const waitS = Math.min(error.retryAfterS, MAX_WAIT_S);
      onWait(`${error.message} Retrying in ${waitS} s.`);
      await sleep(1000 * waitS, signal);
    }
  }
}

export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(abortError());
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

const abortError = () => new DOMException("", "AbortError");

// A random key; `crypto.randomUUID` is not available without HTTPS.
export const randomKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
