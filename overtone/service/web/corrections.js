// Corrections of timeline pages in frames: they come from the service, and each change is sent to it. A change is shown
// in other tabs with the same job, too. If another person has changed the corrections meanwhile, this person decides
// which to keep; until then, nothing is sent and nothing is lost.

import { respond, sleep, withRetries } from "./service.js";

const DELAY_MS = 300; // several changes in a row are sent at once
const RETRY_MS = 5000;
const DOES_NOT_FIT = "This page cannot show the corrections, which another program made. The downloads contain them.";
const CONFLICT = "Another person has changed these corrections meanwhile. Yours are still here, but not saved.";
const TAKEN = "These are the corrections of the other person. Undo brings yours back.";
const UNDECIDED = "another person has changed them meanwhile; choose above which to keep.";
// Of each job with changes that the service does not have yet: { body, failure, task, sent }, where `sent` are the bodies
// that it may have got without a response; and with a conflict, `theirs`.
const unstored = new Map();
const etags = new Map(); // of the corrections of each job that its page is based on
const frames = new Map(); // the frame of each job that was shown
const tabs = new BroadcastChannel(`overtone-corrections:${location.pathname}`);

const pathOf = (job) => `v1/jobs/${job}/corrections`;
const pageOf = (job) => frames.get(job)?.contentWindow?.overtoneCorrections; // none after the frame was removed
const show = (job, text, choices) => pageOf(job)?.showStatus(text, choices);

// Resolves as soon as the changes of a job are stored: downloads then contain them. Throws if they cannot be stored.
export async function stored(job) {
  const change = unstored.get(job);
  if (change?.failure && !change.theirs) keep(job, change.body); // there may be an API key since
  await change?.task;
  if (change?.failure) throw new Error(`The corrections are not saved: ${change.failure}`);
}

// Forgets the changes of a deleted job.
export const discard = (job) => unstored.delete(job);

// Shows the stored corrections of a job in its page, and stores those that are made there.
export function connectCorrections(frame, job) {
  frames.set(job, frame);
  frame.contentDocument.addEventListener("corrected", ({ detail }) => keep(job, detail));
  return load(job);
}

function keep(job, body) {
  const change = unstored.get(job) ?? { task: null, sent: new Set() };
  change.body = body;
  unstored.set(job, change);
  if (change.theirs) return showConflict(job, change);
  change.failure = "";
  show(job, "Saving …");
  change.task ??= send(job, change);
}

async function send(job, change) {
  for (let waitMs = DELAY_MS; ; ) {
    await sleep(waitMs);
    if (unstored.get(job) !== change) return; // the job was deleted
    const { body } = change;
    change.sent.add(body);
    waitMs = DELAY_MS;
    try {
      const etag = etags.get(job), headers = { "Content-Type": "application/json", ...(etag && { "If-Match": etag }) };
      etags.set(job, (await respond(pathOf(job), "text", { method: "PUT", body, headers })).etag);
      change.sent.clear();
      if (change.body !== body) continue; // there was another change
      unstored.delete(job);
      show(job, "Saved in the service");
      tabs.postMessage(job);
      return;
    } catch (error) {
      if (error.status === 412) return findConflict(job, change);
      show(job, `Not saved: ${error.message}`);
      if (error.status === 404) return unstored.delete(job); // the job was deleted, or has expired
      if (error.retryAfterS !== null) waitMs = RETRY_MS;
      else if (change.body === body) return Object.assign(change, { failure: error.message, task: null });
    }
  }
}

// Loads the corrections of the other person, and asks which to keep. They may be own ones whose response was lost.
async function findConflict(job, change) {
  try {
    const theirs = await withRetries(() => respond(pathOf(job), "text"), (text) => show(job, text));
    if (unstored.get(job) !== change) return; // the job was deleted
    if (change.sent.has(theirs.content)) {
      etags.set(job, theirs.etag);
      return send(job, change);
    }
    Object.assign(change, { theirs, failure: UNDECIDED, task: null });
    showConflict(job, change);
  } catch (error) {
    show(job, `Not saved: ${error.message}`);
    Object.assign(change, { failure: error.message, task: null });
  }
}

function showConflict(job, change) {
  const { content, etag } = change.theirs;
  const keepMine = () => {
    etags.set(job, etag); // a third change is a conflict again
    change.theirs = null;
    keep(job, change.body);
  };
  const takeTheirs = () => {
    etags.set(job, etag);
    unstored.delete(job);
    show(job, pageOf(job)?.restore(content) ? TAKEN : DOES_NOT_FIT);
  };
  show(job, CONFLICT, [["Keep mine, replace theirs", keepMine], ["Take theirs", takeTheirs]]);
}

// Shows the corrections of a job in its page, which allows no change before: it would replace them.
async function load(job) {
  const page = pageOf(job), known = etags.get(job), onWait = (text) => show(job, text);
  try {
    const waiting = unstored.get(job); // from an earlier frame
    const loaded = waiting ? null : await withRetries(() => respond(pathOf(job), "text"), onWait);
    if (pageOf(job) !== page || (!waiting && unstored.has(job))) return; // another frame, or a later change
    if (loaded && etags.get(job) !== known) return load(job); // a change was stored meanwhile
    if (loaded) etags.set(job, loaded.etag);
    if (!page.restore(waiting?.body ?? loaded.content)) show(job, DOES_NOT_FIT);
    else if (waiting?.theirs) showConflict(job, waiting);
    else show(job, waiting?.failure ? `Not saved: ${waiting.failure}` : waiting ? "Saving …" : "");
  } catch (error) {
    show(job, `The corrections cannot be loaded: ${error.message}`);
  }
}

tabs.addEventListener("message", ({ data: job }) => pageOf(job) && !unstored.has(job) && load(job));
addEventListener("beforeunload", (event) => unstored.size && event.preventDefault());
