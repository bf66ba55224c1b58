// What was given to the page: each recording with its way through the service, from the upload to the timeline.

import { Refused, ask, fresh, patiently, pause, send } from "./service.js";

const FIRST_LOOK_MS = 100, LAST_LOOK_MS = 2000; // between two looks at a job: short ones at first
const TURNS = /\.(rttm|csv|textgrid)$/i;

export class Recordings {
  #line = Promise.resolve(); // uploads go one after the other
  #number = 0;

  // `changed` is called whenever there is something new to show.
  constructor(changed, limits) {
    this.list = []; // the newest first
    this.chosen = null;
    Object.assign(this, { changed, limits });
  }

  // Takes files in. Those of speaker turns go with the recording of the same name, or with the only one.
  addAll(files) {
    const turns = files.filter(({ name }) => TURNS.test(name)), sounds = files.filter((one) => !turns.includes(one));
    const stem = ({ name }) => name.replace(/\.[^.]*$/, "");
    const of = (sound) => turns.find((one) => stem(one) === stem(sound)) ?? (sounds.length === 1 ? turns[0] : null);
    for (const sound of sounds) this.add(sound, of(sound));
    return sounds.length ? "" : "Choose a recording too: speaker turns alone say nothing.";
  }

  add(sound, turns = null) {
    const end = new AbortController();
    const one = { number: ++this.#number, name: sound.name, sound, turns, state: "waiting", share: 0, note: "", end };
    Object.assign(one, { url: URL.createObjectURL(sound), heardS: 0, durationS: null, job: null, page: null });
    this.list = [one, ...this.list];
    this.chosen = one;
    this.changed();
    this.#line = this.#line.then(() => this.#upload(one));
  }

  // Forgets a recording, here and at the service.
  forget(one) {
    one.end.abort();
    if (one.job) ask(`v1/jobs/${one.job}`, { method: "DELETE" }).catch(() => {}); // else it is forgotten in time
    URL.revokeObjectURL(one.url);
    this.list = this.list.filter((other) => other !== one);
    if (this.chosen === one) this.chosen = this.list[0] ?? null;
    this.changed();
  }

  choose(one) {
    this.chosen = one;
    this.changed();
  }

  // Tries anew what has failed.
  again(one) {
    one.job = null;
    this.#tell(one, { state: "waiting", note: "", share: 0 });
    this.#line = this.#line.then(() => this.#upload(one));
  }

  #tell(one, news) {
    Object.assign(one, news);
    this.changed();
  }

  async #upload(one) {
    if (one.end.signal.aborted) return;
    const once = fresh();
    await this.#orFail(one, async () => {
      if (one.sound.size > this.limits.bytes)
        throw new Refused(`The service takes files of up to ${Math.round(this.limits.bytes / 1e6)} MB.`);
      const form = new FormData();
      form.append("file", one.sound, one.name);
      if (one.turns) form.append("turns", one.turns, one.turns.name);
      const sent = () => {
        this.#tell(one, { state: "sending", note: "" });
        return send("v1/timeline", form, once, (share) => this.#tell(one, { share }), one.end.signal);
      };
      one.job = (await patiently(sent, (note) => this.#tell(one, { note }), one.end.signal)).id;
      this.#follow(one); // while the next one is sent
    });
  }

  async #follow(one) {
    await this.#orFail(one, async () => {
      const asked = async (path) =>
        patiently(() => ask(path, { signal: one.end.signal }), (note) => this.#tell(one, { note }), one.end.signal);
      for (let ms = FIRST_LOOK_MS; one.state !== "done"; ms = Math.min(1.3 * ms, LAST_LOOK_MS)) {
        const { state, heard_s, duration_s, error } = await (await asked(`v1/jobs/${one.job}`)).json();
        if (state === "failed") throw new Refused(error);
        if (state === "done") one.page = await (await asked(`v1/jobs/${one.job}/timeline?form=html`)).text();
        this.#tell(one, { state, heardS: heard_s, durationS: duration_s, note: "" });
        if (state !== "done") await pause(ms, one.end.signal);
      }
    });
  }

  async #orFail(one, action) {
    try {
      await action();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#tell(one, { state: "failed", note: error.message, locked: error.status === 401 });
    }
  }
}
