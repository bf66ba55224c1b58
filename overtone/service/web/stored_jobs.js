// The jobs of this browser, in its local storage, and the open job in the address of the page. Of a job, its id, the
// names of its files and its time are stored: no audio, no timeline, no API key. Each job is an entry of its own, so
// that tabs cannot overwrite the jobs of each other.

const PREFIX = `overtone-job:${location.pathname}:`; // other services may have other paths of the same server
const MAX_JOBS = 200;
const ID = /^[0-9a-f]{32}$/;

export let isStored = true; // whether the browser stores anything

// Returns the stored jobs, newest first.
export function readJobs() {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    const jobs = keys.map((key) => parseJob(key.slice(PREFIX.length), localStorage.getItem(key)));
    return jobs.filter(Boolean).sort((a, b) => b.createdS - a.createdS);
  } catch {
    return []; // the browser blocks storage
  }
}

// Returns a job with these keys alone; null if something else wrote the entry.
function parseJob(id, text) {
  try {
    const { name, createdS, turns } = JSON.parse(text);
    const isValid = ID.test(id) && [name, turns].every((value) => typeof value === "string") && Number.isFinite(createdS);
    return isValid ? { id, name, createdS, turns } : null;
  } catch {
    return null;
  }
}

export function storeJob({ id, name, createdS, turns }) {
  try {
    localStorage.setItem(PREFIX + id, JSON.stringify({ name, createdS, turns }));
    for (const old of readJobs().slice(MAX_JOBS)) forgetJob(old.id);
  } catch {
    isStored = false;
  }
}

export function forgetJob(id) {
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {} // the browser blocks storage: it has no entry
}

// Calls a function after another tab has changed the jobs.
export const onOtherTab = (action) =>
  addEventListener("storage", ({ key }) => (key === null || key.startsWith(PREFIX)) && action());

// Returns the id of the job that the address names; null if it names none.
export function jobInAddress() {
  const [, id] = /^#job=(.*)$/.exec(location.hash) ?? [];
  return ID.test(id) ? id : null;
}

// Makes the address name a job, or none. A first job, or one in place of a deleted one, replaces the current address;
// any other is a new entry of the history.
export function showInAddress(id, replace = !jobInAddress()) {
  if (id === jobInAddress()) return;
  const address = id ? `#job=${id}` : location.pathname + location.search;
  history[replace ? "replaceState" : "pushState"](null, "", address);
}

export function onAddressChange(action) {
  for (const type of ["popstate", "hashchange"]) addEventListener(type, action);
}
