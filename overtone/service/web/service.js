// The service as the page asks it: with the key, again where it is busy, and with errors that say what to do.

const KEY = "overtone-key";
const PATIENCE = 40; // attempts, of which each waits as long as the service asks for
const LONGEST_WAIT_S = 60, GUESSED_WAIT_S = 2;
const COME_BACK = [429, 502, 503, 504]; // from the service, or from a proxy whose service is just starting

export class Refused extends Error {
  // `waitS` is how long to wait before another attempt; null where another would be refused as well.
  constructor(message, status = 0, waitS = null) {
    super(message);
    Object.assign(this, { status, waitS });
  }
}

let key = "";
try {
  key = sessionStorage.getItem(KEY) ?? ""; // until the tab is closed
} catch {} // the browser keeps nothing for pages

export const keyGiven = () => key;
export function giveKey(text) {
  key = text.replace(/[^\x21-\x7e]/g, ""); // what comes along with a copy, and no header takes
  try {
    sessionStorage.setItem(KEY, key);
  } catch {}
}

export const address = (path) => new URL(path, document.baseURI).href;
const withKey = () => (key ? { Authorization: `Bearer ${key}` } : {});
const unreachable = () =>
  new Refused("The service cannot be reached: it may have ended, or the network is down.", 0, GUESSED_WAIT_S);

function refusal(status, text, retryAfter) {
  let message = `The service answered with ${status}.`;
  try {
    message = JSON.parse(text).error.message;
  } catch {} // not from the service, but from something in between
  return new Refused(message, status, COME_BACK.includes(status) ? Number(retryAfter) || GUESSED_WAIT_S : null);
}

const orUnreachable = (error) => {
  throw error.name === "AbortError" ? error : unreachable();
};

// What comes back of one request, as "json", "text" or "blob". Throws `Refused`.
export async function ask(path, as, options = {}) {
  const response = await fetch(address(path), { ...options, headers: withKey() }).catch(orUnreachable);
  const content = response.ok ? as : "text";
  const told = await response[content]().catch(orUnreachable);
  if (!response.ok) throw refusal(response.status, told, response.headers.get("Retry-After"));
  return told;
}

// Sends a form and gives the object that comes back; `tell` hears which share has left. `fetch` does not say that.
export async function send(path, form, onceKey, tell, signal) {
  const request = new XMLHttpRequest();
  const answered = new Promise((resolve, reject) => {
    request.open("POST", address(path));
    for (const [name, value] of Object.entries({ ...withKey(), "Idempotency-Key": onceKey }))
      request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => tell(loaded / total);
    request.upload.onload = () => tell(1);
    request.onload = resolve;
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(aborted());
    signal.addEventListener("abort", () => request.abort(), { once: true });
  });
  if (signal.aborted) throw aborted();
  request.send(form);
  await answered;
  const { status, responseText } = request;
  if (status >= 300) throw refusal(status, responseText, request.getResponseHeader("Retry-After"));
  try {
    return JSON.parse(responseText);
  } catch {
    throw new Refused("What came back is not from the service: something in between answered.", status);
  }
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
    const stop = () => {
      clearTimeout(timer);
      reject(aborted());
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

const aborted = () => new DOMException("", "AbortError");

// What nobody can guess and nobody had before; `crypto.randomUUID` is missing where there is no HTTPS.
export const fresh = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
