// Corrections of a timeline page in a frame: they come from the service, and each change is sent to it.

import { request, sleep } from "./service.js";

const DELAY_MS = 300; // several changes in a row are sent at once
const RETRY_MS = 5000;
let unsaved = null; // a promise while changes are not stored yet

// Resolves as soon as all changes are stored: downloads then contain them.
export const stored = () => unsaved ?? Promise.resolve();

// Shows the stored corrections of a job in its page, and stores those that are made there.
export async function connectCorrections(frame, job) {
  const { contentDocument: page, contentWindow } = frame, path = `v1/jobs/${job}/corrections`;
  const show = (text) => contentWindow?.overtoneCorrections?.showStatus(text);
  let latest = null;
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
    unsaved = null;
  };
  try {
    contentWindow.overtoneCorrections.restore(await request(path, "text"));
  } catch (error) {
    show(`Earlier corrections cannot be loaded: ${error.message}`);
  }
  page.addEventListener("corrected", ({ detail }) => {
    latest = detail;
    show("Saving …");
    unsaved ??= send();
  });
}

addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
