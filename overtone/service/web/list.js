// The list of recordings, each with its state, its progress and what can be done with it.

import { canRetry, isUnfinished } from "./recordings.js";
import { clock, html } from "./view.js";

// `focusNext` moves the keyboard focus after the button that had it disappears.
export function List({ recordings, focusNext }) {
  const { list, selected } = recordings;
  const remove = async (recording) => {
    await recordings.delete(recording);
    focusNext(recordings.list.length ? "#recordings .name" : "#choose");
  };
  const cancel = async (recording) => {
    focusNext(`#name-${recording.number}`);
    await recordings.cancel(recording);
  };
  return html`<section aria-label="Recordings"><ul id="recordings">
    ${list.map((recording) => html`<li key=${recording.number} class=${recording === selected ? "selected" : ""}>
      <button class="name" id=${`name-${recording.number}`} aria-pressed=${recording === selected}
        onClick=${() => recordings.select(recording)}>
        <b>${recording.name}</b>
        ${" "}<span class="soft">${details(recording)}${status(recording)}, ${time(recording)}</span>
      </button>
      ${recording.recorded && html`<a class="button" href=${recording.url} download=${recording.name}>Save</a>`}
      ${canRetry(recording) && html`<button onClick=${() => recordings.retry(recording)}>Try again</button>`}
      ${isUnfinished(recording) && html`<button aria-label=${`Cancel ${recording.name}`}
        onClick=${() => cancel(recording)}>Cancel</button>`}
      <button aria-label=${`Delete ${recording.name}`} title="Delete, here and in the service"
        onClick=${() => remove(recording)}>×</button>
      ${progress(recording) !== null &&
      html`<progress value=${progress(recording)} aria-label=${`Progress of ${recording.name}`} />`}
      ${recording.note && (["failed", "gone"].includes(recording.state)
        ? html`<p class="error" role="alert">${recording.note}</p>`
        : html`<p class="soft" role="status">${recording.note}</p>`)}
    </li>`)}
  </ul></section>`;
}

// What else the result depends on: speaker turns, channels.
function details({ turns, channel, channelNames }) {
  const names = channelNames && ` (${channelNames})`;
  const texts = { mix: "", left: "left channel, ", right: "right channel, ", each: `channels as speakers${names}, ` };
  return (turns ? `with ${turns.name}, ` : "") + (texts[channel] ?? `channel ${channel}, `);
}

const STATUS_TEXTS = { gone: "not in the service" }; // the other states without a duration are words
function status({ state, sent, processedS, durationS }) {
  if (state === "sending") return `${Math.round(100 * sent)} % uploaded`;
  if (state === "running") return durationS ? `${clock(processedS)} of ${clock(durationS)} processed` : "processing";
  return state === "done" ? clock(durationS) : (STATUS_TEXTS[state] ?? state);
}

const time = ({ createdS }) => new Date(1000 * createdS).toLocaleString([], { dateStyle: "short", timeStyle: "short" });

// The progress of a recording, from 0 to 1; null if it is waiting or finished.
function progress({ state, sent, processedS, durationS }) {
  if (state === "sending") return sent / 2;
  if (state === "queued") return 1 / 2;
  return state === "running" ? (1 + (durationS ? processedS / durationS : 0)) / 2 : null;
}
