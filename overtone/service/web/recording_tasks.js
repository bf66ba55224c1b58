// What happens to one recording: its upload, the progress of its job, its timeline, cancelling and deleting the job.

import { formatNames } from "./channels.js";
import { RequestError, randomKey, request, sleep, upload, withRetries } from "./service.js";

const FIRST_POLL_MS = 100, MAX_POLL_MS = 2000; // interval between two polls of a job; it grows
const JOBS_AT_FULL_RATE = 8; // with more jobs, each is polled less often
const GONE = "The service does not have this job any more, or it belongs to another API key.";

export class RecordingTasks {
  #uploads = Promise.resolve(); // one at a time

  // `update(recording, changes)` changes a recording and draws it; `onJob` is called once it has a job, `onUnauthorized`
  // when the service asks for an API key; `countPolled` returns how many jobs are polled.
  constructor({ update, onJob, onUnauthorized, countPolled, maxBytes }) {
    Object.assign(this, { update, onJob, onUnauthorized, countPolled, maxBytes });
  }

  enqueue(recording) {
    this.#uploads = this.#uploads.then(() => this.#upload(recording));
  }

  // After a complete upload, the response with the job id arrives soon: it is needed to delete or cancel the job.
  stopRequests(recording) {
    if (recording.state !== "sending" || recording.sent < 1) recording.abort.abort();
  }

  // Returns whether the service has no job of the recording any more.
  async deleteJob(recording) {
    if (!recording.job) return true;
    try {
      await request(`v1/jobs/${recording.job}`, "text", { method: "DELETE" });
    } catch (error) {
      if (error.status === 401) this.onUnauthorized();
      if (error.status === 404) return true; // already deleted
      const state = ["done", "cancelled"].includes(recording.state) ? recording.state : "failed"; // no longer polled
      this.update(recording, { state, note: `Not deleted: ${error.message}` });
      return false;
    }
    return true;
  }

  async cancelJob(recording) {
    try {
      await request(`v1/jobs/${recording.job}/cancel`, "json", { method: "POST" });
      recording.abort = new AbortController();
      await this.poll(recording); // it may have ended before
    } catch (error) {
      if (error.status === 401) this.onUnauthorized();
      this.update(recording, { state: "failed", note: `Not cancelled: ${error.message}` }); // it is no longer polled
    }
  }

  async #upload(recording) {
    const idempotencyKey = randomKey(), { signal } = recording.abort;
    if (signal.aborted) return;
    await this.#orFail(recording, async () => {
      if (recording.file.size > this.maxBytes)
        throw new RequestError(`The service accepts files of up to ${Math.round(this.maxBytes / 1e6)} MB.`);
      await recording.file.slice(0, 1).arrayBuffer().catch(() => {
        throw new RequestError("It cannot be read: it is a folder, or was moved or changed after it was chosen.");
      });
      const send = () => {
        const isStopped = recording.deleted || recording.cancelled; // while this waited for a retry
        if (isStopped) recording.abort.abort();
        if (isStopped) this.update(recording, { state: "cancelled", note: "" });
        else this.update(recording, { state: "sending", sent: 0 });
        const onProgress = (sent) => this.update(recording, { sent });
        return upload("v1/timeline", toForm(recording), idempotencyKey, onProgress, signal);
      };
      const { id, created_s } = await withRetries(send, (note) => this.update(recording, { note }), signal);
      Object.assign(recording, { job: id, createdS: created_s });
      if (recording.deleted) return this.deleteJob(recording);
      this.update(recording, { state: "queued", note: "" });
      this.onJob(recording);
      if (recording.cancelled) return this.cancelJob(recording);
      this.poll(recording); // while the next recording is uploaded
    });
  }

  // Shows the progress of a job until it has ended.
  async poll(recording) {
    const { signal } = recording.abort;
    await this.#orFail(recording, async () => {
      for (let ms = FIRST_POLL_MS; ; ms = Math.min(1.3 * ms, MAX_POLL_MS)) {
        const job = await this.#get(recording, `v1/jobs/${recording.job}`, "json");
        recording.jobFailed = job.state === "failed";
        if (recording.jobFailed) throw new RequestError(job.error);
        const changes = { name: job.name, state: job.state, createdS: job.created_s, note: "" };
        const channels = { channel: job.channel, channelNames: formatNames(job.channel_names) };
        this.update(recording, { ...changes, ...channels, processedS: job.processed_s, durationS: job.duration_s });
        if (job.state !== "queued" && job.state !== "running") return;
        await sleep(ms * Math.max(1, this.countPolled() / JOBS_AT_FULL_RATE), signal);
      }
    });
  }

  // Loads the timeline page of a finished recording, unless it is there.
  async loadPage(recording) {
    if (recording.page || recording.isLoading) return;
    recording.isLoading = true;
    await this.#orFail(recording, async () => {
      const path = `v1/jobs/${recording.job}/timeline?format=html&corrected=false`;
      const page = await this.#get(recording, path, "text");
      this.update(recording, { page, note: "" });
    });
    recording.isLoading = false;
  }

  #get(recording, path, type) {
    const { signal } = recording.abort, onWait = (note) => this.update(recording, { note });
    return withRetries(() => request(path, type, { signal }), onWait, signal);
  }

  async #orFail(recording, action) {
    try {
      await action();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.status === 401) this.onUnauthorized();
      const isGone = error.status === 404 && recording.job, unauthorized = error.status === 401;
      const note = unauthorized ? "The service needs an API key." : isGone ? GONE : error.message;
      this.update(recording, { state: isGone ? "gone" : "failed", note, unauthorized });
    }
  }
}

function toForm({ file, name, turns, channel, channelNames }) {
  const form = new FormData();
  form.append("file", file, name);
  if (turns) form.append("turns", turns, turns.name);
  form.append("channel", channel);
  if (channelNames) form.append("channel_names", channelNames);
  return form;
}
