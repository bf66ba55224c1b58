// The page: input (files, microphone, examples), the list of recordings, and the selected result. It uses the API
// under /v1 like any other client.

import { render } from "preact";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import { Channels } from "./channels.js";
import { List } from "./list.js";
import { Live } from "./live.js";
import { record } from "./microphone.js";
import { Recordings } from "./recordings.js";
import { Result } from "./result.js";
import { getKey, request, setKey } from "./service.js";
import { TurnsPanel } from "./turns_panel.js";
import { focused, html } from "./view.js";

const config = JSON.parse(document.getElementById("config").textContent);

// After an element with the keyboard focus disappears, the focus moves to the element with this selector, as soon as there
// is one: effects of an earlier rendering may run before it is drawn.
let nextFocus = "";
const focusNext = (selector) => (nextFocus = selector);
const useFocus = () =>
  useEffect(() => {
    const element = nextFocus && document.querySelector(nextFocus);
    if (!element) return;
    element.focus();
    nextFocus = "";
  });

function App() {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const [card, setCard] = useState(null), [message, setMessage] = useState("");
  const [keyRequests, setKeyRequests] = useState(0); // 0 if no API key is needed
  const askForKey = () => setKeyRequests((count) => count + 1);
  const recordings = useMemo(() => new Recordings(redraw, askForKey, config), []);
  const loadModel = () =>
    request("v1/models", "json").then(
      ({ models }) => (setCard(models[0]), setKeyRequests(0), recordings.restore(), recordings.retryUnauthorized()),
      (error) => (error.status === 401 ? askForKey() : (setMessage(error.message), recordings.restore())),
    );
  const addFiles = async (files) => {
    setMessage(files.length ? "" : "No file was dropped.");
    if (files.length) setMessage(await recordings.addAll([...files]));
    if (recordings.pending) focusNext("#start");
  };
  const submitKey = (text) => (setKey(text), focusNext("#choose"), loadModel());
  useEffect(() => {
    loadModel();
    const drop = (event) => (event.preventDefault(), event.type === "drop" && addFiles(event.dataTransfer.files));
    // On the whole window: elsewhere the browser would open the file and leave the page.
    for (const type of ["dragover", "drop"]) addEventListener(type, drop);
  }, []);
  useFocus();
  return html`
    <header>
      <h1>Overtone</h1>
      <p>Recognises emotions in speech, over time.</p>
    </header>
    ${keyRequests > 0 && html`<${KeyForm} key=${keyRequests} onSubmit=${submitKey} />`}
    <${Input} addFiles=${addFiles} recordings=${recordings} showMessage=${setMessage} />
    <p id="message" role="alert">${message}</p>
    ${recordings.pending && html`<${TurnsPanel} recordings=${recordings} focusNext=${focusNext} />`}
    <p class="visually-hidden" role="status">${recordings.announcement}</p>
    ${recordings.list.length > 0 && html`<${List} recordings=${recordings} focusNext=${focusNext} />`}
    ${recordings.selected?.page && html`<${Result} key=${recordings.selected.number} recording=${recordings.selected}
      formats=${config.formats} attach=${(file) => recordings.attach(recordings.selected, file)} />`}
    <${About} card=${card} />
  `;
}

function KeyForm({ onSubmit }) {
  const submit = (event) => (event.preventDefault(), onSubmit(event.target.key.value));
  return html`<form class="card" onSubmit=${submit}>
    <label for="key">This service needs an API key.</label>
    <div class="row">
      <input id="key" name="key" ref=${focused} type="password" autocomplete="off" required />
      <button class="main">Use key</button>
    </div>
    <p class="error" role="alert">${getKey() && "The service does not accept this key."}</p>
  </form>`;
}

// All sources of audio: files, the microphone, examples.
function Input({ addFiles, recordings, showMessage }) {
  const [over, setOver] = useState(false), [live, setLive] = useState(true);
  const [current, setCurrent] = useState(null); // the state of the microphone while it is on
  const microphone = useRef(null), input = useRef(null);
  const start = () => {
    showMessage("");
    setCurrent({ seconds: null, peak: 0, segments: [], note: "" });
    const opening = record(live, config.limits, (event) => microphone.current === opening && onEvent(event));
    microphone.current = opening;
    opening.catch((error) => microphone.current === opening && (close(), showMessage(error.message)));
  };
  const onEvent = (event) => {
    const append = (segments) => (event.segment ? [...segments, event.segment].slice(-MAX_SEGMENTS) : segments);
    setCurrent((state) => state && { ...state, ...event, segments: append(state.segments) });
    if (event.stopped) (showMessage(event.stopped), stop(true));
  };
  const close = () => {
    microphone.current = null;
    focusNext("#record");
    setCurrent(null);
  };
  const stop = async (keep) => {
    const opening = microphone.current;
    if (!opening) return; // it is already being stopped
    microphone.current = null;
    if (!keep) close();
    const file = await opening.then((recorder) => recorder.stop(keep)).catch(() => null); // `start` shows the error
    if (keep) close();
    if (file) recordings.add(file, { recorded: true });
  };
  const addExample = async ({ audio, turns }) => {
    const load = async (name) => {
      const blob = await request(`page/${name}`, "blob");
      return new File([blob], name, { type: blob.type });
    };
    try {
      recordings.add(await load(audio), { turns: turns && (await load(turns)) });
    } catch (error) {
      showMessage(error.message);
    }
  };
  window.onbeforeunload = current || recordings.isUnsaved ? (event) => event.preventDefault() : null; // asks
  useFocus();
  if (current) return html`<${Live} recording=${current} emotions=${config.emotions} live=${live} stop=${stop} />`;
  return html`<section class=${`card input ${over ? "over" : ""}`} aria-label="Add a recording"
      onDragOver=${() => setOver(true)} onDragLeave=${() => setOver(false)} onDrop=${() => setOver(false)}>
    <div class="row">
      <button id="choose" class="main" onClick=${() => input.current.click()}>Choose recordings</button>
      <input ref=${input} type="file" multiple hidden accept=${config.accept}
        onChange=${({ target }) => (addFiles(target.files), (target.value = ""))} />
      <span class="soft wide">or drop them here, optionally with a file of speaker turns (.rttm, .TextGrid, .srt, .json, …)</span>
      <${Channels} recordings=${recordings} />
    </div>
    <div class="row">
      <button id="record" class="main" onClick=${start}><span class="dot" aria-hidden="true"></span> Record</button>
      <label><input type="checkbox" checked=${live} onChange=${({ target }) => setLive(target.checked)} />
        ${" "}live predictions</label>
    </div>
    <div class="row">
      <span class="soft">Or try an example:</span>
      ${config.examples.map((example) => html`<button onClick=${() => addExample(example)}>${example.title}</button>`)}
    </div>
  </section>`;
}

const MAX_SEGMENTS = 30; // shown while the microphone is on

function About({ card }) {
  return html`<footer class="soft">
    <h2>Limitations</h2>
    <p>The model predicts which emotion listeners would perceive in a voice, not what the speaker feels. It was trained
      on speech of actors; on other recordings it makes more errors. Predictions with low confidence are marked as
      uncertain.</p>
    ${card && html`<p>${scoreText(card)} ${card.limits}</p>`}
    <p>Recordings are sent to this service only. The service deletes a recording as soon as it is processed, and its
      timeline after ${config.retention} or when you delete it here. This browser stores the list of recordings: their
      names and the addresses of their timelines, no audio.</p>
    ${card && html`<p>Model ${card.id}: ${card.predicted_emotions.join(", ")}. Licence of the weights: ${card.licence}.
      Overtone ${config.version}; <a href="v1/openapi.json">API description</a>.</p>`}
  </footer>`;
}

// The first speaker-independent score of the model card; empty if the card has none.
function scoreText({ scores, emotions }) {
  const score = scores.find(({ part, audit }) => part === "fusion" && audit?.shared_speakers === 0);
  if (!score) return "";
  const [uar, low, high] = [score.uar, score.uar_low, score.uar_high].map((value) => (100 * value).toFixed(0));
  return `Score: of each of ${emotions.length} emotions, it recognises ${uar} % on average (unweighted average recall, 95 %
    interval ${low} to ${high} %), on ${score.speakers} speakers that were not in the training data.`;
}

const root = document.getElementById("app");
root.replaceChildren(); // the text for browsers without JavaScript
render(html`<${App} />`, root);
