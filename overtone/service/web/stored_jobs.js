// The jobs of this browser, in its local storage, and the open job in the address of the page. Of a job, its id, the
// names of its files and its time are stored: no audio, no timeline, no API key.

const KEY = `overtone-jobs:${location.pathname}`; // other services may have other paths of the same server
const MAX_JOBS = 200;
const ID = /^[0-9a-f]{32}$/;

export let isStored = true; // whether the browser stores anything

// Returns the stored jobs, newest first.
export function readJobs() {
  try {
    const jobs = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return jobs.filter((job) => ID.test(job?.id) && typeof job.name === "string");
  } catch {
    return []; // the browser blocks storage, or something else wrote the entry
  }
}

function change(id, jobs) {
  try {
    const others = readJobs().filter((job) => job.id !== id); // another tab may have changed them
    localStorage.setItem(KEY, JSON.stringify([...jobs, ...others].slice(0, MAX_JOBS)));
  } catch {
    isStored = false;
  }
}

export const storeJob = (job) => change(job.id, [job]);
export const forgetJob = (id) => change(id, []);

// Calls a function after another tab has changed the jobs.
export const onOtherTab = (action) =>
  addEventListener("storage", ({ key }) => (key === KEY || key === null) && action());

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
