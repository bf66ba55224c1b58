// "Why?": what made the prediction for a segment of a recording, in words and as bars, on demand.

import { useMemo, useState } from "preact/hooks";

import { cutExcerpt } from "./excerpt.js";
import { request, withRetries } from "./service.js";
import { clock, html } from "./view.js";

const MAX_SECONDS = 30; // of one explanation
const TENTHS = 1; // decimals of times
const BAR = 100, HEIGHT = 60; // units of the drawings

export function Explain({ recording }) {
  const [open, setOpen] = useState(false);
  const segments = useMemo(() => speechSegments(recording.page), [recording.page]);
  return html`<section aria-label="Explanation">
    <h2 class="why-title"><button aria-expanded=${open} aria-controls="why" onClick=${() => setOpen(!open)}>Why?</button></h2>
    <div id="why" hidden=${!open}>
      ${open && (segments.length
        ? html`<${Panel} recording=${recording} segments=${segments} />`
        : html`<p>No speech was detected: there is nothing to explain.</p>`)}
    </div>
  </section>`;
}

function Panel({ recording, segments }) {
  const [index, setIndex] = useState(() => segmentAtCursor(segments));
  const [state, setState] = useState({ busy: false, error: "", note: "", explanation: null });
  const explain = async () => {
    setState({ busy: true, error: "", note: "", explanation: null });
    try {
      const form = await makeForm(recording, segments[index]);
      const load = () => request("v1/explain", "json", { method: "POST", body: form });
      const onWait = (note) => setState((last) => ({ ...last, note }));
      const { explanation } = await withRetries(load, onWait, new AbortController().signal);
      setState({ busy: false, error: "", note: "", explanation });
    } catch (error) {
      setState({ busy: false, error: error.message, note: "", explanation: null });
    }
  };
  const choose = ({ target }) => {
    setIndex(Number(target.value));
    setState({ busy: false, error: "", note: "", explanation: null });
  };
  return html`<p class="soft">Parts of the sound are changed, and the prediction is made again. The segment is explained
      on its own: the model does not adapt to the rest of the recording as in the timeline.</p>
    <div class="row">
      <label>Segment
        <select id="why-segment" value=${index} onChange=${choose} disabled=${state.busy}>
          ${segments.map((segment, number) => html`<option value=${number}>${segmentTitle(segment)}</option>`)}
        </select>
      </label>
      <button class="main" onClick=${explain} disabled=${state.busy}>Explain</button>
    </div>
    <p role="status">${state.busy ? state.note || "This takes a few seconds …" : ""}</p>
    <p class="error" role="alert">${state.error}</p>
    ${state.explanation && html`<${Findings} explanation=${state.explanation} />`}`;
}

// What was found: sentences, a drawing over time, and tables.
function Findings({ explanation }) {
  const { prediction, spans, bands, properties, probability, summary } = explanation;
  const title = `${prediction.uncertain ? "uncertain: " : ""}${prediction.emotion} ${percent(prediction.confidence)}`;
  return html`<div id="findings">
    <h3>${title}</h3>
    ${summary.map((sentence) => html`<p>${sentence}</p>`)}
    ${spans.length > 0 && html`<${TimeDrawing} explanation=${explanation} />
      <div class="why-tables">
        <${Table} caption="Frequencies" rows=${bands} label=${bandTitle} />
        <${Table} caption="Properties, made average" rows=${properties} label=${({ name }) => name}
          more=${(row) => `${percent(probability)} → ${percent(row.probability)}`} />
        <${Table} caption="Time" rows=${spans} label=${({ start_s, end_s }) => `${times(start_s, end_s)} s`} />
      </div>
      <p class="soft">Bars to the right speak for ${explanation.emotion}, bars to the left against it; the number is the
        change of the log-odds. A question mark stands where two ways of changing a part disagree. This explains the
        model, not the person.</p>`}
  </div>`;
}

// The levels of the bands over time, and above them the contribution of each span.
function TimeDrawing({ explanation: { spans, levels_db, start_s, end_s, emotion } }) {
  const largest = largestOf(spans), width = 1000, x = (time) => ((time - start_s) / (end_s - start_s)) * width;
  const step = width / levels_db.length, row = HEIGHT / (levels_db[0]?.length || 1);
  const title = `Contributions to ${emotion} over time; the table below has the same values`;
  return html`<svg class="why-time" viewBox=${`0 0 ${width} ${3 * HEIGHT}`} preserveAspectRatio="none" role="img"
      aria-label=${title}>
    ${levels_db.map((levels, column) => levels.map((level, band) => level > -50 && html`<rect class="level"
      x=${column * step} y=${3 * HEIGHT - (band + 1) * row} width=${step} height=${row} opacity=${1 + level / 50} />`))}
    ${spans.map((span) => {
      const height = (HEIGHT * Math.abs(span.contribution)) / largest;
      return html`<rect class=${kind(span)} x=${x(span.start_s) + 1} width=${x(span.end_s) - x(span.start_s) - 2}
        y=${span.contribution > 0 ? HEIGHT - height : HEIGHT} height=${height} />`;
    })}
    <rect class="axis" x="0" y=${HEIGHT - 0.5} width=${width} height="1" />
  </svg>`;
}

function Table({ caption, rows, label, more }) {
  const largest = largestOf(rows);
  return html`<table class="why-table"><caption>${caption}</caption><tbody>
    ${rows.map((row) => html`<tr>
      <th scope="row">${label(row)}</th>
      <td><${Bar} row=${row} largest=${largest} /></td>
      <td class="number">${signed(row)}</td>
      ${more && html`<td class="number">${more(row)}</td>`}
    </tr>`)}
  </tbody></table>`;
}

function Bar({ row, largest }) {
  const width = (BAR * Math.abs(row.contribution)) / largest;
  return html`<svg viewBox=${`0 0 ${2 * BAR} 10`} preserveAspectRatio="none" aria-hidden="true">
    <rect class=${kind(row)} x=${row.contribution > 0 ? BAR : BAR - width} y="1" width=${width} height="8" />
    <rect class="axis" x=${BAR - 0.5} y="0" width="1" height="10" />
  </svg>`;
}

const kind = ({ contribution, reliable }) => (contribution > 0 ? "for" : "against") + (reliable ? "" : " unreliable");
const largestOf = (rows) => Math.max(1e-9, ...rows.map(({ contribution }) => Math.abs(contribution)));
const percent = (share) => `${Math.round(100 * share)} %`;
const signed = ({ contribution, reliable }) =>
  `${contribution < 0 ? "−" : "+"}${Math.abs(contribution).toFixed(2)}${reliable ? "" : "?"}`;
const times = (start, end) => `${start.toFixed(TENTHS)} – ${end.toFixed(TENTHS)}`;
const bandTitle = ({ low_hz, high_hz }) => `${low_hz} – ${high_hz} Hz`;
const segmentTitle = ({ start, end, label, speaker }) =>
  `${clock(start)} – ${clock(end)}${speaker ? ` ${speaker}` : ""}: ${label}`;

// The segments with speech of a timeline page.
function speechSegments(page) {
  const data = new DOMParser().parseFromString(page, "text/html").getElementById("data");
  return JSON.parse(data.textContent).segments.filter(({ emotion }) => emotion !== null);
}

// The number of the segment that the player is at, else of the first one.
function segmentAtCursor(segments) {
  const time = document.querySelector("iframe")?.contentDocument?.querySelector("audio")?.currentTime ?? 0;
  return Math.max(0, segments.findIndex(({ start, end }) => start <= time && time < end));
}

// The request: with the sound of the segment alone where the service decodes the same from it, else with the recording.
async function makeForm({ audio, name, channel, durationS }, { start, end, tracks }) {
  const form = new FormData(), stop = Math.min(end, start + MAX_SECONDS);
  const excerpt = await cutExcerpt(audio, start, stop, durationS);
  form.append("file", excerpt ?? audio, name);
  for (const [field, value] of Object.entries(excerpt ? { offset_s: start } : { start_s: start, end_s: stop }))
    form.append(field, value);
  form.append("channel", channel === "each" ? String(tracks + 1) : channel);
  return form;
}
