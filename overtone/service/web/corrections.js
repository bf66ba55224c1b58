// Corrections of a timeline page in a frame: they come from the service, and each change is sent to it.

import { request, sleep } from "./service.js";

const DELAY_MS = 300; // several changes in a row are sent at once
const RETRY_MS = 5000;
const unsaved = new Set(); // a promise for each timeline with changes that are not stored yet

// Resolves as soon as all changes are stored: downloads then contain them.
export const stored = () => Promise.all(unsaved);

// Shows the stored corrections of a job in its page, and stores those that are made there.
export async function connectCorrections(frame, job) {
  const { contentDocument: page, contentWindow } = frame, path = `v1/jobs/${job}/corrections`;
  const show = (text) => contentWindow?.overtoneCorrections?.showStatus(text);
  let latest = null, sending = null;
  const send = async () => {
    while (latest !== null) {
      await sleep(DELAY_MS);
      const body = latest;
      latest = null;
      try {
        await request(path, "text", { method: "PUT", body, headers: { "Content-Type": "application/json" } });
        show("Saved in the service");
      } catch (error) {
        show(`Not saved: ${error.message}`);
        if (error.retryAfterS === null) break; // a retry does not help
        latest ??= body;
        await sleep(RETRY_MS);
      }
    }
    unsaved.delete(sending);
    sending = null;
  };
  page.addEventListener("corrected", ({ detail }) => {
    latest = detail;
    show("Saving …");
    if (!sending) unsaved.add((sending = send()));
  });
  try {
    const corrections = await request(path, "text");
    if (latest === null && !sending) contentWindow.overtoneCorrections.restore(corrections);
  } catch (error) {
    show(`Earlier corrections cannot be loaded: ${error.message}`);
  }
}

addEventListener("beforeunload", (event) => unsaved.size && event.preventDefault());
