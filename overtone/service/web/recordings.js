// What was given to the page: each recording with its way through the service, from the upload to the timeline.

import { Refused, ask, fresh, patiently, pause, send } from "./service.js";

const FIRST_LOOK_MS = 100, LAST_LOOK_MS = 2000; // between two looks at a job: short ones at first
const LOOKED_AT = 8; // jobs; where more wait, each is looked at less often
const TURNS = /\.(rttm|csv|textgrid)$/i;
const stem = ({ name }) => name.replace(/\.[^.]*$/, "");

export class Recordings {
  #line = Promise.resolve(); // uploads go one after the other
  #number = 0;

  // `changed` is called whenever there is something new to show, `locked` when a key is asked for.
  constructor(changed, locked, limits) {
    this.list = []; // the newest first
    this.chosen = null;
    this.said = ""; // what has just happened, for those who do not see it
    Object.assign(this, { changed, locked, limits });
  }

  // Takes files in, and says what of them is left over. Speaker turns go with the recording of the same name, or with
  // the only one.
  addAll(files) {
    const turns = files.filter(({ name }) => TURNS.test(name)), sounds = files.filter((one) => !turns.includes(one));
    const alone = sounds.length === 1 && turns.length === 1;
    const of = (sound) => turns.find((one) => alone || stem(one) === stem(sound)) ?? null;
    const pairs = sounds.map((sound) => [sound, of(sound)]);
    for (const [sound, own] of pairs) this.add(sound, own);
    if (pairs.length) this.choose(this.list[pairs.length - 1]); // the first one, which is heard first
    const left = turns.filter((one) => !pairs.some(([, own]) => own === one)).map(({ name }) => name);
    return left.length ? `${left.join(", ")}: speaker turns that go with no recording; give both, under one name.` : "";
  }

  // Takes a recording in; one that was `made` here lies nowhere else.
  add(sound, turns = null, made = false) {
    const end = new AbortController(), url = URL.createObjectURL(sound);
    const one = { number: ++this.#number, name: sound.name, sound, turns, made, url, end, state: "waiting", note: "" };
    Object.assign(one, { share: 0, processedS: 0, durationS: null, job: null, page: null, forgotten: false });
    this.list = [one, ...this.list];
    this.choose(one);
    this.#queue(one);
  }

  // Forgets a recording, here and at the service; it stays in the list where that cannot be done.
  async forget(one) {
    one.forgotten = true;
    if (one.state !== "sending" || one.share < 1) one.end.abort(); // else its job is known in a moment
    if (!(await this.#deleted(one))) return;
    URL.revokeObjectURL(one.url);
    this.list = this.list.filter((other) => other !== one);
    if (this.chosen === one) this.chosen = this.list[0] ?? null;
    this.changed();
  }

  choose(one) {
    this.chosen = one;
    this.changed();
  }

  // Tries anew what has failed: what the service still has is asked for again, anything else is sent again.
  async again(one) {
    Object.assign(one, { end: new AbortController(), forgotten: false, note: "" });
    if (one.job && !one.refused) {
      this.#tell(one, { state: "queued" });
      return this.#follow(one);
    }
    this.#tell(one, { state: "waiting", share: 0 });
    if (!(await this.#deleted(one))) return;
    Object.assign(one, { job: null, refused: false });
    this.#queue(one);
  }

  #queue(one) {
    this.#line = this.#line.then(() => this.#upload(one));
  }

  #tell(one, news) {
    if (news.state === "done") this.said = `${one.name}: heard`;
    Object.assign(one, news);
    this.changed();
  }

  async #deleted(one) {
    if (!one.job) return true;
    try {
      await ask(`v1/jobs/${one.job}`, "text", { method: "DELETE" });
    } catch (error) {
      if (error.status === 401) this.locked();
      if (error.status === 404) return true; // it was forgotten already
      const state = one.state === "done" ? "done" : "failed"; // nobody follows it any more
      this.#tell(one, { state, note: `Not deleted: ${error.message}` });
      return false;
    }
    return true;
  }

  async #upload(one) {
    const once = fresh();
    await this.#orFail(one, async () => {
      if (one.sound.size > this.limits.bytes)
        throw new Refused(`The service takes files of up to ${Math.round(this.limits.bytes / 1e6)} MB.`);
      await one.sound.slice(0, 1).arrayBuffer().catch(() => {
        throw new Refused("It cannot be read: a folder, or moved or changed since it was chosen.");
      });
      const form = new FormData();
      form.append("file", one.sound, one.name);
      if (one.turns) form.append("turns", one.turns, one.turns.name);
      const sent = () => {
        if (one.forgotten) one.end.abort();
        else this.#tell(one, { state: "sending", share: 0 });
        return send("v1/timeline", form, once, (share) => this.#tell(one, { share }), one.end.signal);
      };
      one.job = (await patiently(sent, (note) => this.#tell(one, { note }), one.end.signal)).id;
      if (one.forgotten) return this.#deleted(one);
      this.#tell(one, { state: "queued", note: "" });
      this.#follow(one); // while the next one is sent
    });
  }

  async #follow(one) {
    const asked = (path, as) =>
      patiently(() => ask(path, as, { signal: one.end.signal }), (note) => this.#tell(one, { note }), one.end.signal);
    await this.#orFail(one, async () => {
      for (let ms = FIRST_LOOK_MS; one.state !== "done"; ms = Math.min(1.3 * ms, LAST_LOOK_MS)) {
        const { state, processed_s, duration_s, error } = await asked(`v1/jobs/${one.job}`, "json");
        one.refused = state === "failed";
        if (one.refused) throw new Refused(error);
        if (state === "done") one.page = await asked(`v1/jobs/${one.job}/timeline?format=html`, "text");
        this.#tell(one, { state, processedS: processed_s, durationS: duration_s, note: "" });
        const others = this.list.filter(({ job, page, state }) => job && !page && state !== "failed").length;
        if (state !== "done") await pause(ms * Math.max(1, others / LOOKED_AT), one.end.signal);
      }
    });
  }

  async #orFail(one, action) {
    try {
      await action();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.status === 401) this.locked();
      this.#tell(one, { state: "failed", note: error.status === 401 ? "The service asks for a key." : error.message });
    }
  }
}
