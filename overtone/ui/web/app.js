// The page: what is given to it, how far that is, and what was heard. It asks the service under /v1, as any program may.

import htm from "htm";
import { h, render } from "preact";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import { Live } from "./live.js";
import { hear } from "./microphone.js";
import { Recordings } from "./recordings.js";
import { Result } from "./result.js";
import { ask, giveKey, keyGiven } from "./service.js";

const html = htm.bind(h);
const house = JSON.parse(document.getElementById("house").textContent);

function App() {
  const [, changed] = useReducer((count) => count + 1, 0);
  const recordings = useMemo(() => new Recordings(changed, house.limits), []);
  const [card, setCard] = useState(null), [locked, setLocked] = useState(0), [message, setMessage] = useState("");
  const meet = () =>
    ask("v1/models")
      .then((response) => response.json())
      .then(({ models }) => (setCard(models[0]), setLocked(0)))
      .catch((error) => (error.status === 401 ? setLocked((times) => times + 1) : setMessage(error.message)));
  useEffect(() => void meet(), []);
  const take = (files) => setMessage(recordings.addAll([...files]));
  return html`
    <header>
      <h1>Overtone</h1>
      <p>Hears how something was said: emotion, over time.</p>
    </header>
    ${locked > 0 && html`<${Key} given=${(key) => (giveKey(key), meet())} />`}
    ${locked === 0 && html`<${Giving} take=${take} recordings=${recordings} say=${setMessage} />`}
    <p id="say" role="alert">${message}</p>
    ${recordings.list.length > 0 && html`<${List} recordings=${recordings} />`}
    ${recordings.chosen && html`<${Result} key=${recordings.chosen.number} recording=${recordings.chosen} forms=${house.forms} />`}
    <${About} card=${card} />
  `;
}

function Key({ given }) {
  const wrong = keyGiven() !== "";
  const submit = (event) => (event.preventDefault(), given(event.target.key.value));
  return html`<form class="card" onSubmit=${submit}>
    <label for="key">This service asks for a key.</label>
    <div class="row">
      <input id="key" name="key" type="password" autocomplete="off" required />
      <button class="main">Use it</button>
    </div>
    <p class="error" role="alert">${wrong && "That is no key of this service."}</p>
  </form>`;
}

// Everything by which sound comes in: files, the microphone, examples.
function Giving({ take, recordings, say }) {
  const [over, setOver] = useState(false), [heard, setHeard] = useState(null), [live, setLive] = useState(true);
  const microphone = useRef(null), input = useRef(null);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  const aim = (event) => (event.preventDefault(), setOver(event.type === "dragover"));
  const told = (news) => {
    const segments = (known) => (news.segment ? [...known.segments, news.segment] : known.segments);
    setHeard((known) => known && { ...known, ...news, segments: segments(known) }); // it may have been stopped
    if (news.over) stop(true);
  };
  const start = () => {
    say("");
    setHeard({ seconds: null, loudest: 0, segments: [], note: "" });
    microphone.current = hear(live, house.limits, told);
    microphone.current.catch((error) => (setHeard(null), say(error.message)));
  };
  const stop = async (keep) => {
    const { current } = microphone;
    microphone.current = null; // so that it is stopped once
    const file = await current?.then((heard) => heard.stop(keep)).catch(() => null); // which has been told
    if (current) setHeard(null);
    if (file) recordings.add(file);
  };
  const example = async ({ sound, turns }) => {
    const fetched = async (name) => new File([await (await ask(`page/${name}`)).blob()], name);
    try {
      recordings.add(await fetched(sound), turns ? await fetched(turns) : null);
    } catch (error) {
      say(error.message);
    }
  };
  if (heard) return html`<${Live} heard=${heard} emotions=${house.emotions} live=${live} stop=${stop} />`;
  return html`<section class=${`card giving ${over ? "over" : ""}`} onDragOver=${aim} onDragLeave=${aim} onDrop=${drop}
      aria-label="Give a recording">
    <div class="row">
      <button class="main" onClick=${() => input.current.click()}>Choose recordings</button>
      <input ref=${input} type="file" multiple hidden accept=${house.accept}
        onChange=${({ target }) => (take(target.files), (target.value = ""))} />
      <span class="soft wide">or drop them here; a file of speaker turns (.rttm, .csv, .TextGrid) may come along</span>
    </div>
    <div class="row">
      <button class="main" onClick=${start}><span class="dot" aria-hidden="true"></span> Record</button>
      <label><input type="checkbox" checked=${live} onChange=${({ target }) => setLive(target.checked)} />
        ${" "}answer while I speak</label>
    </div>
    <div class="row">
      <span class="soft">Or hear an example:</span>
      ${house.examples.map((one) => html`<button onClick=${() => example(one)}>${one.title}</button>`)}
    </div>
  </section>`;
}

function List({ recordings }) {
  const { list, chosen } = recordings;
  return html`<section aria-label="Recordings"><ul id="recordings">
    ${list.map((one) => html`<li key=${one.number} class=${one === chosen ? "chosen" : ""}>
      <button class="name" aria-pressed=${one === chosen} onClick=${() => recordings.choose(one)}>
        <b>${one.name}</b> <span class="soft" role="status">${state(one)}</span>
      </button>
      ${one.state === "failed" && html`<button onClick=${() => recordings.again(one)}>Try again</button>`}
      <button aria-label=${`Forget ${one.name}`} title="Forget: deletes it from the service too"
        onClick=${() => recordings.forget(one)}>×</button>
      ${share(one) !== null && html`<progress value=${share(one)} aria-label=${`Progress of ${one.name}`} />`}
      ${one.note && html`<p class=${one.state === "failed" ? "error" : "soft"} role="alert">${one.note}</p>`}
    </li>`)}
  </ul></section>`;
}

const STATES = { waiting: "waits", queued: "waits for its turn", failed: "failed" };
function state({ state, share, heardS, durationS }) {
  if (state === "sending") return `${Math.round(100 * share)} % sent`;
  if (state === "running") return durationS ? `${clock(heardS)} of ${clock(durationS)} heard` : "is heard";
  return STATES[state] ?? clock(durationS);
}

// How far a recording is on its way, from 0 to 1; null where it is not under way.
function share({ state, share, heardS, durationS }) {
  if (state === "sending") return share / 2;
  if (state === "queued") return 1 / 2;
  return state === "running" ? (1 + (durationS ? heardS / durationS : 0)) / 2 : null;
}

const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

function About({ card }) {
  return html`<footer class="soft">
    <h2>What it cannot do</h2>
    <p>It answers with what listeners would call the tone of a voice. It does not know what anybody feels, and what it
      learned was played by actors: on other recordings it errs more often. An answer that is not sure says so.</p>
    ${card && html`<p>${card.limits}</p>`}
    <p>Recordings stay with this service: nothing is sent elsewhere. A recording is deleted there as soon as it has been
      heard, its timeline ${house.kept}.</p>
    ${card && html`<p>Model ${card.id}: ${card.emotions.join(", ")}. Licence of the weights: ${card.licence}.
      Overtone ${house.version}; <a href="v1/openapi.json">for programs</a>.</p>`}
  </footer>`;
}

const place = document.getElementById("app");
place.replaceChildren(); // what is said to those without scripts
render(html`<${App} />`, place);
