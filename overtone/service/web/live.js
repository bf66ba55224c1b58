// While the microphone is on: input level, and predictions for the last seconds. Screen readers do not announce them:
// their voice would be recorded.

import { clock, focused, html } from "./view.js";

const MIN_LEVEL_DB = -60;
const MAX_BARS = 24; // models of own labels may have hundreds of classes
const NO_PREDICTION_YET = "The first prediction appears after three seconds.";

export function Live({ recording, emotions, live, stop }) {
  const { seconds, peak, segments, note } = recording;
  const level = Math.max(0, 1 + (20 * Math.log10(Math.max(peak, 1e-6))) / -MIN_LEVEL_DB);
  const last = segments.at(-1);
  if (seconds === null)
    return html`<section class="card row" aria-label="Microphone">
      <button ref=${focused} onClick=${() => stop(false)}>Cancel</button>
      <p role="status">Waiting for the microphone: the browser may ask for your permission.</p>
    </section>`;
  return html`<section class="card" aria-label="Microphone">
    <div class="row">
      <button ref=${focused} class="main" onClick=${() => stop(true)}>
        <span class="square" aria-hidden="true"></span> Stop
      </button>
      <button onClick=${() => stop(false)}>Discard</button>
      <span class="time">${clock(seconds)}</span>
      <meter class="wide" min="0" max="1" value=${level} aria-label="Input level"></meter>
    </div>
    ${note && html`<p class="error">${note}</p>`}
    ${live && !note && html`<p class="now">${last ? describe(last) : NO_PREDICTION_YET}</p>`}
    ${last?.speech && html`<${Bars} emotions=${emotions} prediction=${last} />
      <p class="soft">${affect(last)}</p>`}
    ${segments.length > 0 && html`<div class="strip" aria-hidden="true">
      ${segments.map((segment) => html`<i class=${segment.uncertain ? "uncertain" : ""}
        style=${colours(segment, emotions)} title=${interval(segment)}></i>`)}
    </div>
    <p class="soft">Each prediction covers three seconds; a new one appears every 1.5 seconds. Hatched predictions are
      uncertain. If the branches of the model disagree, their emotions are shown too. The timeline of the whole
      recording follows at the end.</p>`}
  </section>`;
}

const percent = (share) => `${Math.round(100 * share)} %`;

const interval = (segment) =>
  `${segment.start_s.toFixed(1)} – ${segment.end_s.toFixed(1)} s: ${describe(segment)}`;

function describe({ speech, emotion, confidence, uncertain, branches }) {
  if (!speech) return "no speech";
  const labels = Object.entries(branches ?? {}).map(([name, probabilities]) => [name, mostProbable(probabilities)]);
  const disagree = new Set(labels.map(([, label]) => label)).size > 1;
  const details = disagree ? ` (${labels.map(([name, label]) => `${name}: ${label}`).join(", ")})` : "";
  return `${uncertain ? `uncertain (${emotion})` : emotion} ${percent(confidence)}${details}`;
}

// Arousal and valence; not every model has them.
const affect = (segment) =>
  ["arousal", "valence"]
    .filter((name) => segment[name] !== null)
    .map((name) => `${name} ${percent(segment[name])}`)
    .join(", ");

const mostProbable = (probabilities) => Object.entries(probabilities).sort(([, a], [, b]) => b - a)[0][0];

function colours({ speech, emotion }, emotions) {
  const { colour, textColour } = emotions[emotion] ?? {};
  return speech ? { backgroundColor: colour, "--hatch": textColour } : {};
}

function Bars({ emotions, prediction }) {
  let shares = Object.entries(prediction.probabilities);
  if (shares.length > MAX_BARS) shares = shares.sort(([, a], [, b]) => b - a).slice(0, MAX_BARS);
  return html`<div class="bars" aria-hidden="true">
    ${shares.map(([name, share]) => html`<span><bdi>${name}</bdi></span>
      <span class="bar"><i style=${{ width: `${100 * share}%`, background: emotions[name]?.colour }}></i></span>
      <span class="number">${percent(share)}</span>`)}
  </div>`;
}
