// The page: what is given to it, how far that is, and what was heard. It asks under /v1, as any program may.

import { render } from "preact";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import { Live } from "./live.js";
import { hear } from "./microphone.js";
import { Recordings } from "./recordings.js";
import { Result } from "./result.js";
import { ask, giveKey, keyGiven } from "./service.js";
import { clock, focused, html } from "./view.js";

const house = JSON.parse(document.getElementById("house").textContent);

// Where the keyboard goes on when what it was at has gone.
let next = "";
const goOnAt = (selector) => (next = selector);
const useFocus = () =>
  useEffect(() => {
    if (next) document.querySelector(next)?.focus();
    next = "";
  });

function App() {
  const [, changed] = useReducer((count) => count + 1, 0);
  const [card, setCard] = useState(null), [message, setMessage] = useState(""), [asked, setAsked] = useState(0);
  const recordings = useMemo(() => new Recordings(changed, () => setAsked((times) => times + 1), house.limits), []);
  const meet = () =>
    ask("v1/models", "json").then(
      ({ models }) => (setCard(models[0]), setAsked(0)),
      (error) => (error.status === 401 ? setAsked((times) => times + 1) : setMessage(error.message)),
    );
  const take = (files) => setMessage(files.length ? recordings.addAll([...files]) : "There was no file in it.");
  useEffect(() => {
    meet();
    const drop = (event) => (event.preventDefault(), event.type === "drop" && take(event.dataTransfer.files));
    for (const type of ["dragover", "drop"]) addEventListener(type, drop); // wherever: a miss would leave the page
  }, []);
  useFocus();
  return html`
    <header>
      <h1>Overtone</h1>
      <p>Hears how something was said: emotion, over time.</p>
    </header>
    ${asked > 0 && html`<${Key} key=${asked} given=${(text) => (giveKey(text), goOnAt("#choose"), meet())} />`}
    <${Giving} take=${take} recordings=${recordings} say=${setMessage} />
    <p id="say" role="alert">${message}</p>
    <p class="unseen" role="status">${recordings.said}</p>
    ${recordings.list.length > 0 && html`<${List} recordings=${recordings} />`}
    ${recordings.chosen?.page && html`<${Result} key=${recordings.chosen.number} recording=${recordings.chosen}
      forms=${house.forms} />`}
    <${About} card=${card} />
  `;
}

function Key({ given }) {
  const submit = (event) => (event.preventDefault(), given(event.target.key.value));
  return html`<form class="card" onSubmit=${submit}>
    <label for="key">This service asks for a key.</label>
    <div class="row">
      <input id="key" name="key" ref=${focused} type="password" autocomplete="off" required />
      <button class="main">Use it</button>
    </div>
    <p class="error" role="alert">${keyGiven() && "The one that was given is no key of this service."}</p>
  </form>`;
}

// Everything by which sound comes in: files, the microphone, examples.
function Giving({ take, recordings, say }) {
  const [over, setOver] = useState(false), [heard, setHeard] = useState(null), [live, setLive] = useState(true);
  const microphone = useRef(null), input = useRef(null);
  const start = () => {
    say("");
    setHeard({ seconds: null, loudest: 0, segments: [], note: "" });
    const opened = hear(live, house.limits, (news) => microphone.current === opened && told(news));
    microphone.current = opened;
    opened.catch((error) => microphone.current === opened && (finish(), say(error.message)));
  };
  const told = (news) => {
    const added = (segments) => (news.segment ? [...segments, news.segment].slice(-SHOWN) : segments);
    setHeard((known) => known && { ...known, ...news, segments: added(known.segments) });
    if (news.over) (say(news.over), stop(true));
  };
  const finish = () => {
    microphone.current = null;
    goOnAt("#record");
    setHeard(null);
  };
  const stop = async (keep) => {
    const opened = microphone.current;
    if (!opened) return; // it is being stopped
    microphone.current = null;
    if (!keep) finish();
    const file = await opened.then((one) => one.stop(keep)).catch(() => null); // which has been told
    if (keep) finish();
    if (file) recordings.add(file, null, true);
  };
  const example = async ({ sound, turns }) => {
    const fetched = async (name) => {
      const blob = await ask(`page/${name}`, "blob");
      return new File([blob], name, { type: blob.type });
    };
    try {
      recordings.add(await fetched(sound), turns ? await fetched(turns) : null);
    } catch (error) {
      say(error.message);
    }
  };
  // What lies nowhere else would be lost with the page.
  const only = heard || recordings.list.some(({ made, state }) => made && state !== "done");
  window.onbeforeunload = only ? (event) => event.preventDefault() : null;
  useFocus();
  if (heard) return html`<${Live} heard=${heard} emotions=${house.emotions} live=${live} stop=${stop} />`;
  return html`<section class=${`card giving ${over ? "over" : ""}`} aria-label="Give a recording"
      onDragOver=${() => setOver(true)} onDragLeave=${() => setOver(false)} onDrop=${() => setOver(false)}>
    <div class="row">
      <button id="choose" class="main" onClick=${() => input.current.click()}>Choose recordings</button>
      <input ref=${input} type="file" multiple hidden accept=${house.accept}
        onChange=${({ target }) => (take(target.files), (target.value = ""))} />
      <span class="soft wide">or drop them here; a file of speaker turns (.rttm, .csv, .TextGrid) may come along</span>
    </div>
    <div class="row">
      <button id="record" class="main" onClick=${start}><span class="dot" aria-hidden="true"></span> Record</button>
      <label><input type="checkbox" checked=${live} onChange=${({ target }) => setLive(target.checked)} />
        ${" "}answer while I speak</label>
    </div>
    <div class="row">
      <span class="soft">Or hear an example:</span>
      ${house.examples.map((one) => html`<button onClick=${() => example(one)}>${one.title}</button>`)}
    </div>
  </section>`;
}

const SHOWN = 30; // answers of a voice that is still heard

function List({ recordings }) {
  const { list, chosen } = recordings;
  const forget = async (one) => {
    await recordings.forget(one);
    goOnAt(recordings.list.length ? "#recordings .name" : "#choose");
  };
  return html`<section aria-label="Recordings"><ul id="recordings">
    ${list.map((one) => html`<li key=${one.number} class=${one === chosen ? "chosen" : ""}>
      <button class="name" aria-pressed=${one === chosen} onClick=${() => recordings.choose(one)}>
        <b>${one.name}</b> <span class="soft">${one.turns && `with ${one.turns.name}, `}${state(one)}</span>
      </button>
      ${one.made && html`<a class="button" href=${one.url} download=${one.name}>Save</a>`}
      ${one.state === "failed" && html`<button onClick=${() => recordings.again(one)}>Try again</button>`}
      <button aria-label=${`Forget ${one.name}`} title="Forget: deletes it from the service too"
        onClick=${() => forget(one)}>×</button>
      ${share(one) !== null && html`<progress value=${share(one)} aria-label=${`Progress of ${one.name}`} />`}
      ${one.note && (one.state === "failed"
        ? html`<p class="error" role="alert">${one.note}</p>`
        : html`<p class="soft" role="status">${one.note}</p>`)}
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

function About({ card }) {
  return html`<footer class="soft">
    <h2>What it cannot do</h2>
    <p>It answers with what listeners would call the tone of a voice. It does not know what anybody feels, and what it
      learned was played by actors: on other recordings it errs more often. An answer that is not sure says so.</p>
    ${card && html`<p>${measured(card)} ${card.limits}</p>`}
    <p>Recordings stay with this service: nothing is sent elsewhere. A recording is deleted there as soon as it has been
      heard, its timeline ${house.kept}.</p>
    ${card && html`<p>Model ${card.id}: ${card.emotions.join(", ")}. Licence of the weights: ${card.licence}.
      Overtone ${house.version}; <a href="v1/openapi.json">for programs</a>.</p>`}
  </footer>`;
}

// The first score of voices that were never heard before, if the card has one.
function measured({ scores, emotions }) {
  const score = scores.find(({ part, audit }) => part === "fusion" && audit?.shared_speakers === 0);
  if (!score) return "";
  const [uar, low, high] = [score.uar, score.uar_low, score.uar_high].map((value) => (100 * value).toFixed(0));
  return `Scores: of ${score.speakers} actors that it had never heard, it named the right one of ${emotions.length}
    emotions in ${uar} % of cases (mean over the emotions; ${low} to ${high} %; ${score.protocol}).`;
}

const place = document.getElementById("app");
place.replaceChildren(); // what is said to those without scripts
render(html`<${App} />`, place);
