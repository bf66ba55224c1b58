// While the microphone is on: how loud it is, and what has been heard in the last seconds. Nothing of it is announced:
// a screen reader would speak into the microphone.

import { clock, focused, html } from "./view.js";

const FAINTEST_DB = -60;

export function Live({ heard, emotions, live, stop }) {
  const { seconds, loudest, segments, note } = heard;
  const loud = Math.max(0, 1 + (20 * Math.log10(Math.max(loudest, 1e-6))) / -FAINTEST_DB);
  const last = segments.at(-1);
  if (seconds === null)
    return html`<section class="card row" aria-label="Microphone">
      <button ref=${focused} onClick=${() => stop(false)}>Cancel</button>
      <p role="status">Waits for the microphone: the browser may ask you for it.</p>
    </section>`;
  return html`<section class="card" aria-label="Microphone">
    <div class="row">
      <button ref=${focused} class="main" onClick=${() => stop(true)}>
        <span class="square" aria-hidden="true"></span> Stop
      </button>
      <button onClick=${() => stop(false)}>Throw away</button>
      <span class="time">${clock(seconds)}</span>
      <meter class="wide" min="0" max="1" value=${loud} aria-label="Loudness"></meter>
    </div>
    ${note && html`<p class="error">${note}</p>`}
    ${live && !note && html`<p class="now">${last ? said(last) : "Answers come after three seconds."}</p>`}
    ${last?.speech && html`<${Bars} emotions=${emotions} answer=${last} />`}
    ${segments.length > 0 && html`<div class="strip" aria-hidden="true">
      ${segments.map((one) => html`<i class=${one.uncertain ? "uncertain" : ""} style=${look(one, emotions)}
        title=${`${one.start_s.toFixed(1)} – ${one.end_s.toFixed(1)} s: ${said(one)}`}></i>`)}
    </div>
    <p class="soft">Each answer is about three seconds, a new one every one and a half; hatched is what is uncertain.
      Where the mel picture and prosody say different things, both are told. The whole follows at the end.</p>`}
  </section>`;
}

const percent = (share) => `${Math.round(100 * share)} %`;

function said({ speech, emotion, confidence, uncertain, branches }) {
  if (!speech) return "no speech";
  const hear = Object.entries(branches ?? {}).map(([name, shares]) => [name, best(shares)]);
  const apart = new Set(hear.map(([, one]) => one)).size > 1;
  const asides = apart ? ` (${hear.map(([name, one]) => `${name}: ${one}`).join(", ")})` : "";
  return `${uncertain ? `uncertain (${emotion})` : emotion} ${percent(confidence)}${asides}`;
}

const best = (shares) => Object.entries(shares).sort(([, one], [, other]) => other - one)[0][0];

function look({ speech, emotion }, emotions) {
  const { colour, ink } = emotions[emotion] ?? {};
  return speech ? { backgroundColor: colour, "--hatch": ink } : {};
}

function Bars({ emotions, answer }) {
  return html`<div class="bars" aria-hidden="true">
    ${Object.entries(answer.probabilities).map(([name, share]) => html`<span>${name}</span>
      <span class="bar"><i style=${{ width: `${100 * share}%`, background: emotions[name]?.colour }}></i></span>
      <span class="number">${percent(share)}</span>`)}
  </div>`;
}
