// The channels that are used of the files that are added, and the names of the speakers if each channel is one.

import { html } from "./view.js";

const CHANNELS = [
  ["mix", "the mean of all"],
  ["left", "left"],
  ["right", "right"],
  ["each", "each is a speaker"],
];
const MAX_NAMES = 16; // as the service
const defaultNames = (count) => (count === 2 ? ["left", "right"] : Array.from({ length: count }, (_, index) => `${index + 1}`));

export function Channels({ recordings }) {
  const { channel, names } = recordings, defaults = defaultNames(names.length);
  const rename = (index) => ({ target }) => recordings.setChannel(channel, names.with(index, target.value));
  return html`<label>Channels
      <select id="channel" value=${channel} onChange=${({ target }) => recordings.setChannel(target.value)}>
        ${CHANNELS.map(([value, label]) => html`<option value=${value}>${label}</option>`)}
      </select>
    </label>
    ${channel === "each" && html`<fieldset class="row">
      <legend>Names of the speakers (optional)</legend>
      ${names.map((name, index) => html`<input type="text" key=${index} value=${name} placeholder=${defaults[index]}
        aria-label=${`Name of channel ${index + 1}`} maxlength="100" autocomplete="off" onInput=${rename(index)} />`)}
      ${names.length < MAX_NAMES && html`<button onClick=${() => recordings.setChannel(channel, [...names, ""])}>More channels</button>`}
    </fieldset>`}`;
}

// The names as the service takes them: separated by commas, in double quotes; "" if none was given. A field that is
// empty has the name that it shows.
export function formatNames(names) {
  const given = names.map((name) => name.trim());
  if (!given.some(Boolean)) return "";
  const defaults = defaultNames(given.length);
  return given.map((name, index) => `"${(name || defaults[index]).replaceAll('"', '""')}"`).join(",");
}
