// Recordings and files of speaker turns before the upload: which turns belong to which recording can be changed.

import { html } from "./view.js";

export function TurnsPanel({ recordings, focusNext }) {
  const { audio, turns, chosen } = recordings.pending;
  const unused = turns.filter((candidate) => !chosen.includes(candidate));
  const isRefused = recordings.channel === "each" && chosen.some(Boolean);
  const choose = (index) => ({ target }) => recordings.chooseTurns(index, turns[target.value] ?? null);
  return html`<section class="card" aria-label="Speaker turns">
    <h2>Speaker turns of each recording</h2>
    <ul class="pairs">
      ${audio.map((file, index) => html`<li key=${index}>
        <label><b>${file.name}</b>
          <select value=${turns.indexOf(chosen[index])} onChange=${choose(index)}>
            <option value="-1">without speaker turns</option>
            ${turns.map((candidate, number) => html`<option value=${number}>${candidate.file.name}</option>`)}
          </select>
        </label>
      </li>`)}
    </ul>
    ${unused.map(({ file, advice }) => html`<p class="error" role="alert">${audio.length
      ? `${file.name}: no recording for these speaker turns; choose the file above, or add a recording with the same name.`
      : advice}</p>`)}
    ${isRefused && html`<p class="error" role="alert">Where each channel is a speaker, the channels are the turns: choose
      another channel, or no speaker turns.</p>`}
    <div class="row">
      <button id="start" class="main" disabled=${isRefused || !audio.length} onClick=${() => (recordings.startPending(), focusNext("#recordings .selected .name"))}>
        Upload</button>
      <button onClick=${() => (recordings.dropPending(), focusNext("#choose"))}>Discard</button>
    </div>
  </section>`;
}
