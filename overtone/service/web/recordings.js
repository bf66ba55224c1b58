// The list of recordings: each is uploaded, becomes a job of the service, and then has a timeline.

import { RequestError, randomKey, request, sleep, upload, withRetries } from "./service.js";

const FIRST_POLL_MS = 100, MAX_POLL_MS = 2000; // interval between two polls of a job; it grows
const JOBS_AT_FULL_RATE = 8; // with more jobs, each is polled less often
const TURNS_FILE = /\.(rttm|textgrid|eaf|srt|vtt|txt|csv|tsv|json|jsonl|ndjson)$/i;
const stem = ({ name }) => name.replace(/\.[^.]*$/, "");

export class Recordings {
  #uploads = Promise.resolve(); // one at a time
  #number = 0;

  // `onChange` is called after each change, `onUnauthorized` when the service asks for an API key.
  constructor(onChange, onUnauthorized, limits) {
    this.list = []; // newest first
    this.selected = null;
    this.announcement = ""; // the latest event, for screen readers
    this.channel = "mix"; // of the files that are added
    Object.assign(this, { onChange, onUnauthorized, limits });
  }

  // Adds files; returns a message about files that were not used. Speaker turns belong to the recording with the same
  // name, or to the only recording.
  addAll(files) {
    const turns = files.filter(({ name }) => TURNS_FILE.test(name));
    const audio = files.filter((file) => !turns.includes(file));
    const single = audio.length === 1 && turns.length === 1;
    const turnsFor = (file) => turns.find((candidate) => single || stem(candidate) === stem(file)) ?? null;
    const pairs = audio.map((file) => [file, turnsFor(file)]);
    for (const [file, fileTurns] of pairs) this.add(file, fileTurns, this.channel);
    if (pairs.length) this.select(this.list[pairs.length - 1]); // the first one, which is processed first
    const unused = turns.filter((file) => !pairs.some(([, fileTurns]) => fileTurns === file)).map(({ name }) => name);
    return unused.length
      ? `${unused.join(", ")}: no recording for these speaker turns; add a recording with the same name.`
      : "";
  }

  setChannel(channel) {
    this.channel = channel;
    this.onChange();
  }

  // Adds a recording; one that was `recorded` here exists nowhere else.
  add(file, turns = null, channel = "mix", recorded = false) {
    const abort = new AbortController(), url = URL.createObjectURL(file);
    const recording = { number: ++this.#number, name: file.name, file, turns, channel, recorded, url, abort };
    Object.assign(recording, { state: "waiting", note: "", sent: 0, processedS: 0, durationS: null });
    Object.assign(recording, { job: null, page: null });
    this.list = [recording, ...this.list];
    this.select(recording);
    this.#enqueue(recording);
  }

  // Deletes a recording, here and in the service; it stays in the list if the service cannot delete it.
  async delete(recording) {
    recording.deleted = true;
    // After a complete upload, the response with the job id arrives soon: it is needed to delete the job.
    if (recording.state !== "sending" || recording.sent < 1) recording.abort.abort();
    if (!(await this.#deleteJob(recording))) return;
    URL.revokeObjectURL(recording.url);
    this.list = this.list.filter((other) => other !== recording);
    if (this.selected === recording) this.selected = this.list[0] ?? null;
    this.onChange();
  }

  select(recording) {
    this.selected = recording;
    this.onChange();
  }

  // Retries a failed recording: polls its job if the service still has it, otherwise uploads it again.
  async retry(recording) {
    Object.assign(recording, { abort: new AbortController(), deleted: false, note: "" });
    if (recording.job && !recording.jobFailed) {
      this.#update(recording, { state: "queued" });
      return this.#poll(recording);
    }
    this.#update(recording, { state: "waiting", sent: 0 });
    if (!(await this.#deleteJob(recording))) return;
    Object.assign(recording, { job: null, jobFailed: false });
    this.#enqueue(recording);
  }

  #enqueue(recording) {
    this.#uploads = this.#uploads.then(() => this.#upload(recording));
  }

  #update(recording, changes) {
    if (changes.state === "done") this.announcement = `${recording.name}: finished`;
    Object.assign(recording, changes);
    this.onChange();
  }

  async #deleteJob(recording) {
    if (!recording.job) return true;
    try {
      await request(`v1/jobs/${recording.job}`, "text", { method: "DELETE" });
    } catch (error) {
      if (error.status === 401) this.onUnauthorized();
      if (error.status === 404) return true; // already deleted
      const state = recording.state === "done" ? "done" : "failed"; // it is no longer polled
      this.#update(recording, { state, note: `Not deleted: ${error.message}` });
      return false;
    }
    return true;
  }

  async #upload(recording) {
    const idempotencyKey = randomKey();
    await this.#orFail(recording, async () => {
      if (recording.file.size > this.limits.bytes)
        throw new RequestError(`The service accepts files of up to ${Math.round(this.limits.bytes / 1e6)} MB.`);
      await recording.file.slice(0, 1).arrayBuffer().catch(() => {
        throw new RequestError("It cannot be read: it is a folder, or was moved or changed after it was chosen.");
      });
      const form = new FormData();
      form.append("file", recording.file, recording.name);
      if (recording.turns) form.append("turns", recording.turns, recording.turns.name);
      form.append("channel", recording.channel);
      const send = () => {
        if (recording.deleted) recording.abort.abort();
        else this.#update(recording, { state: "sending", sent: 0 });
        const onProgress = (sent) => this.#update(recording, { sent });
        return upload("v1/timeline", form, idempotencyKey, onProgress, recording.abort.signal);
      };
      const onWait = (note) => this.#update(recording, { note });
      recording.job = (await withRetries(send, onWait, recording.abort.signal)).id;
      if (recording.deleted) return this.#deleteJob(recording);
      this.#update(recording, { state: "queued", note: "" });
      this.#poll(recording); // while the next recording is uploaded
    });
  }

  async #poll(recording) {
    const { signal } = recording.abort, onWait = (note) => this.#update(recording, { note });
    const get = (path, type) => withRetries(() => request(path, type, { signal }), onWait, signal);
    await this.#orFail(recording, async () => {
      for (let ms = FIRST_POLL_MS; recording.state !== "done"; ms = Math.min(1.3 * ms, MAX_POLL_MS)) {
        const { state, processed_s, duration_s, error } = await get(`v1/jobs/${recording.job}`, "json");
        recording.jobFailed = state === "failed";
        if (recording.jobFailed) throw new RequestError(error);
        if (state === "done") recording.page = await get(`v1/jobs/${recording.job}/timeline?format=html`, "text");
        this.#update(recording, { state, processedS: processed_s, durationS: duration_s, note: "" });
        const jobs = this.list.filter(({ job, page, state }) => job && !page && state !== "failed").length;
        if (state !== "done") await sleep(ms * Math.max(1, jobs / JOBS_AT_FULL_RATE), signal);
      }
    });
  }

  async #orFail(recording, action) {
    try {
      await action();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.status === 401) this.onUnauthorized();
      const note = error.status === 401 ? "The service needs an API key." : error.message;
      this.#update(recording, { state: "failed", note });
    }
  }
}
