// The service as the page asks it: with the key, again where it is busy, and with errors that say what to do.

const KEY = "overtone-key"; // kept until the tab is closed
const PATIENCE = 40; // attempts, of which each waits as long as the service asks for
const LONGEST_WAIT_S = 60;

export class Refused extends Error {
  // `waitS` is what the service asks for before another attempt; null where another would be refused as well.
  constructor(message, status = 0, waitS = null) {
    super(message);
    Object.assign(this, { status, waitS });
  }
}

export const keyGiven = () => sessionStorage.getItem(KEY) ?? "";
export const giveKey = (key) => sessionStorage.setItem(KEY, key.trim());
export const address = (path) => new URL(path, document.baseURI).href;

const withKey = () => (keyGiven() ? { Authorization: `Bearer ${keyGiven()}` } : {});
const unreachable = () => new Refused("The service cannot be reached: it may have ended, or the network is down.", 0, 2);

function refusal(status, text, retryAfter) {
  let message = `The service answered with ${status}.`;
  try {
    message = JSON.parse(text).error.message;
  } catch {} // not from the service, but from something in between
  return new Refused(message, status, status === 503 || status === 429 ? Number(retryAfter) || 1 : null);
}

// The response to one request. Throws `Refused`.
export async function ask(path, options = {}) {
  const response = await fetch(address(path), { ...options, headers: withKey() }).catch((error) => {
    throw error.name === "AbortError" ? error : unreachable();
  });
  if (!response.ok) throw refusal(response.status, await response.text(), response.headers.get("Retry-After"));
  return response;
}

// Sends a form and gives the object that comes back; `tell` hears which share has left. `fetch` does not say that.
export function send(path, form, onceKey, tell, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address(path));
    for (const [name, value] of Object.entries({ ...withKey(), "Idempotency-Key": onceKey }))
      request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => tell(loaded / total);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("", "AbortError"));
    request.onload = () =>
      request.status < 300
        ? resolve(JSON.parse(request.responseText))
        : reject(refusal(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    signal.addEventListener("abort", () => request.abort());
    if (signal.aborted) request.abort();
    else request.send(form);
  });
}

// Does something until the service has time for it; `tell` hears why it waits.
export async function patiently(action, tell, signal) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Refused) || error.waitS === null || attempt >= PATIENCE) throw error;
      const waitS = Math.min(error.waitS, LONGEST_WAIT_S);
      tell(`${error.message} Trying again in ${waitS} s.`);
      await pause(1000 * waitS, signal);
    }
  }
}

export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("", "AbortError"));
    });
  });
}

// What nobody can guess and nobody had before; `crypto.randomUUID` is missing where there is no HTTPS.
export const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join("-");
