// The list of recordings: each is uploaded, becomes a job of the service, and then has a timeline. The jobs of this
// browser are in the list again after a reload, without their audio.

import { formatNames } from "./channels.js";
import { discard } from "./corrections.js";
import { adviceOf, splitByKind } from "./file_kinds.js";
import { RecordingTasks } from "./recording_tasks.js";
import * as stored from "./stored_jobs.js";
import { addPending, recordingsIn } from "./turns_matching.js";

const isUploading = ({ state }) => state === "waiting" || state === "sending";
export const isUnfinished = (recording) => isUploading(recording) || ["queued", "running"].includes(recording.state);
// A recording that ended without a timeline can be tried again: its job is polled, or its file uploaded again.
export const canRetry = ({ state, file, job, jobFailed }) =>
  (state === "failed" && (file || (job && !jobFailed))) || (state === "cancelled" && file);

export class Recordings {
  #number = 0;
  #tasks;

  // `onChange` is called after each change, `onUnauthorized` when the service asks for an API key. `config` has the
  // limits of the service and the suffixes of speaker turns.
  constructor(onChange, onUnauthorized, config) {
    this.list = []; // newest first
    this.selected = null;
    this.pending = null; // recordings with speaker turns, before the upload: {audio, turns, chosen}
    this.announcement = ""; // the latest event, for screen readers
    this.channel = "mix"; // of the files that are added
    this.names = ["", ""]; // of the channels, if each is a speaker
    Object.assign(this, { onChange, turnSuffixes: config.turns, keepS: config.keep_s });
    this.#tasks = new RecordingTasks({
      update: (recording, changes) => this.#update(recording, changes),
      onJob: (recording) => this.#store(recording),
      onUnauthorized,
      countPolled: () => this.list.filter((recording) => recording.job && isUnfinished(recording)).length,
      maxBytes: config.limits.bytes,
    });
    stored.onOtherTab(() => this.#synchronise());
    stored.onAddressChange(() => this.#openAddress());
  }

  // Whether closing the page would lose something: an upload, audio that exists only here, or the only trace of a job.
  get isUnsaved() {
    const isLost = (recording) =>
      isUploading(recording) ||
      (recording.recorded && recording.state !== "done") ||
      (isUnfinished(recording) && !stored.isStored);
    return this.list.some(isLost);
  }

  // Lists the jobs of earlier visits, and opens the one that the address names.
  restore() {
    this.#synchronise();
    this.#openAddress();
  }

  // Adds files; returns a message about files that are not used. Recordings with speaker turns are uploaded later, by
  // `startPending`.
  async addAll(files) {
    const { audio, turns, silent } = splitByKind(files, this.turnSuffixes);
    if (turns.length || this.pending) {
      const read = async (file) => ({ file, recordings: await recordingsIn(file), advice: adviceOf(file) });
      this.#setPending(addPending(this.pending, audio, await Promise.all(turns.map(read))));
    } else if (audio.length) {
      this.#addInOrder(audio, () => null);
    }
    return silent.map(adviceOf).join(" ");
  }

  chooseTurns(index, turns) {
    this.#setPending({ ...this.pending, chosen: this.pending.chosen.with(index, turns) });
  }

  startPending() {
    const { audio, chosen } = this.pending;
    this.pending = null;
    this.#addInOrder(audio, (index) => chosen[index]?.file ?? null);
  }

  dropPending() {
    this.#setPending(null);
  }

  #setPending(pending) {
    this.pending = pending;
    this.onChange();
  }

  setChannel(channel, names = this.names) {
    Object.assign(this, { channel, names });
    this.onChange();
  }

  #addInOrder(files, turnsOf) {
    const channelNames = this.channel === "each" ? formatNames(this.names) : "";
    files.forEach((file, index) => this.add(file, { turns: turnsOf(index), channel: this.channel, channelNames }));
    this.select(this.list[files.length - 1]); // the first one, which is processed first
  }

  // Adds a file, with its `turns`, `channel` and `channelNames`; if it was `recorded` here, it exists nowhere else.
  add(file, options = {}) {
    const recording = this.#create({ name: file.name, file, audio: file, url: URL.createObjectURL(file), ...options });
    this.list = [recording, ...this.list];
    this.select(recording);
    this.#tasks.enqueue(recording);
  }

  #create(fields) {
    const start = { state: "waiting", note: "", sent: 0, processedS: 0, durationS: null, job: null, page: null };
    const options = { file: null, audio: null, url: null, turns: null, channel: "mix", channelNames: "", recorded: false };
    const created = { number: ++this.#number, createdS: Date.now() / 1000, abort: new AbortController() };
    return { ...start, ...options, ...created, ...fields };
  }

  // Deletes a recording, here and in the service; it stays in the list if the service cannot delete it.
  async delete(recording) {
    recording.deleted = true;
    this.#tasks.stopRequests(recording);
    if (await this.#tasks.deleteJob(recording)) this.#remove(recording);
  }

  // Stops a recording that is being uploaded or processed; it stays in the list.
  async cancel(recording) {
    recording.cancelled = true;
    this.#tasks.stopRequests(recording);
    if (recording.job) await this.#tasks.cancelJob(recording);
    else if (recording.abort.signal.aborted) this.#update(recording, { state: "cancelled", note: "" });
  }

  #remove(recording) {
    if (recording.url) URL.revokeObjectURL(recording.url);
    if (recording.job) stored.forgetJob(recording.job);
    discard(recording.job);
    this.list = this.list.filter((other) => other !== recording);
    if (this.selected === recording) this.select(this.list[0] ?? null, true);
    this.onChange();
  }

  // Shows a recording; `replace` the current address instead of adding one to the history.
  select(recording, replace) {
    this.selected = recording;
    stored.showInAddress(recording?.job ?? null, replace);
    if (recording?.state === "done") this.#tasks.loadPage(recording);
    this.onChange();
  }

  // Takes the audio of a recording of an earlier visit, which is on this machine only.
  attach(recording, file) {
    if (recording.url) URL.revokeObjectURL(recording.url);
    this.#update(recording, { audio: file, url: URL.createObjectURL(file) });
  }

  // Retries a recording: polls its job if the service still has it, otherwise uploads it again.
  async retry(recording) {
    const isPolled = recording.job && recording.state !== "cancelled" && !recording.jobFailed;
    Object.assign(recording, { abort: new AbortController(), deleted: false, cancelled: false });
    this.#update(recording, { state: isPolled ? "checking" : "waiting", sent: 0, note: "", unauthorized: false });
    if (isPolled) return this.#tasks.poll(recording);
    if (!(await this.#tasks.deleteJob(recording))) return;
    if (recording.job) stored.forgetJob(recording.job);
    Object.assign(recording, { job: null, jobFailed: false, isStored: false });
    this.#tasks.enqueue(recording);
  }

  // Retries what the service refused without an API key.
  retryUnauthorized() {
    for (const recording of this.list.filter(({ unauthorized }) => unauthorized)) this.retry(recording);
  }

  #synchronise() {
    const jobs = stored.readJobs();
    const isForgotten = ({ job, isStored }) => isStored && !jobs.some(({ id }) => id === job);
    for (const recording of this.list.filter(isForgotten)) {
      recording.abort.abort(); // it was deleted in another tab
      this.#remove(recording);
    }
    const isNew = ({ id }) => !this.list.some(({ job }) => job === id);
    const added = jobs.filter(isNew).map((job) => this.#restoreJob({ ...job, isStored: true }));
    this.list = [...this.list, ...added].sort((a, b) => b.createdS - a.createdS);
    this.onChange();
  }

  #restoreJob({ id, turns, ...fields }) {
    const recording = this.#create({ state: "checking", job: id, turns: turns ? { name: turns } : null, ...fields });
    this.#tasks.poll(recording);
    return recording;
  }

  #openAddress() {
    const id = stored.jobInAddress();
    if (id === (this.selected?.job ?? null)) return;
    let recording = this.list.find(({ job }) => job === id) ?? null;
    if (id && !recording) {
      recording = this.#restoreJob({ id, name: `Job ${id.slice(0, 8)}` }); // of another browser
      this.list = [recording, ...this.list];
    }
    this.select(recording);
  }

  #update(recording, changes) {
    const isDone = changes.state === "done" && recording.state !== "done";
    if (isDone && recording.state !== "checking") this.announcement = `${recording.name}: finished`;
    Object.assign(recording, changes);
    if (isDone && !recording.isStored) this.#store(recording); // opened by its address
    if (isDone && this.selected === recording) this.#tasks.loadPage(recording);
    // Its timeline has expired: nothing is left to show, and its name need not stay here.
    const ageS = Date.now() / 1000 - recording.createdS;
    if (changes.state === "gone" && ageS > this.keepS && this.selected !== recording) return this.#remove(recording);
    this.onChange();
  }

  #store(recording) {
    const { job: id, name, createdS, turns } = recording;
    stored.storeJob({ id, name, createdS, turns: turns?.name ?? "" });
    recording.isStored = stored.isStored;
    if (this.selected === recording) stored.showInAddress(id);
  }
}
