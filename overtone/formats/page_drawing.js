// Draws the timeline on the canvases of the page, with the scales of `page_axes.js` and the waveform of
// `page_waveform.js`. `page_player.js` handles playback and input.

const data = JSON.parse(document.getElementById("data").textContent);
const stage = document.getElementById("stage"), overview = document.getElementById("overview");
const TIER = 28, WAVEFORM = 84, LANE = 36, PITCH = 96, LOUDNESS = 72, AFFECT = 52, AXIS = 20, GAP = 10, OVERVIEW = 26;
const SPEAKER = 26; // pixels
const TICKS_S = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const FONT = "system-ui, sans-serif";
const view = { from: 0, to: Math.min(90, data.duration_s), width: 0 }; // seconds, pixels
// One group of tracks for the whole recording, or one for each channel that is a speaker.
const GROUPS = data.tracks.map((tracks) => ({ ...tracks, lanes: makeLanes(tracks), affect: makeAffectLines(tracks) }));
for (const group of GROUPS) {
  group.lines = [...makeProsodyLines(group), ...group.affect];
  const lines = group.lines.reduce((total, { height }) => total + height + GAP, 0);
  group.height = (group.speaker ? SPEAKER : 0) + WAVEFORM + GAP + group.lanes.length * LANE + GAP + lines;
}

// Of many classes, only the most probable have a lane.
function makeLanes({ percents }) {
  const lanes = data.emotions.map((emotion, index) => ({ ...emotion, percent: percents[index] }));
  const outlined = ({ percent }) => percent.map((value) => value || null); // none at 0 %
  return lanes.filter(({ percent }) => percent).map((lane) => ({ ...lane, outline: outlined(lane) }));
}

function makeProsodyLines({ pitch_hz, loudness_db }) {
  const [pitch, loudness] = [pitchScale(pitch_hz), loudnessScale(loudness_db)];
  return [
    { label: "pitch", unit: "Hz", values: pitch_hz, colour: "ink", height: PITCH, scale: pitch },
    { label: "loudness", unit: "dB", values: loudness_db, colour: "soft", height: LOUDNESS, scale: loudness },
  ];
}

// Not every model has arousal and valence.
function makeAffectLines({ arousal, valence }) {
  return [{ label: "arousal", values: arousal }, { label: "valence", values: valence }]
    .filter(({ values }) => values.some((value) => value !== null))
    .map((line) => ({ ...line, unit: "", colour: "ink", height: AFFECT, scale: SHARE_SCALE }));
}

const css = {}; // colours of the page; read for every drawing, as they differ between light and dark mode
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const leftMargin = () => (view.width < 600 ? 98 : 116); // of the tracks; it contains the labels and ticks of their axes
const scale = () => (view.width - leftMargin()) / (view.to - view.from); // pixels per second
const xOf = (time) => leftMargin() + (time - view.from) * scale();
const timeAt = (x) => view.from + (x - leftMargin()) / scale();
const segmentStyle = ({ emotion }) => data.emotions[emotion] ?? { name: "", colour: css.band, ink: css.soft };

function formatClock(time, digits = 0) {
  const rounded = Math.floor(time * 10 ** digits + 1e-6) / 10 ** digits;
  const [hours, minutes] = [Math.floor(rounded / 3600), Math.floor((rounded % 3600) / 60)];
  const seconds = (rounded % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

// Resizes a canvas to its CSS width and a height, which also clears it; returns its context.
function resizeCanvas(canvas, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  [canvas.width, canvas.height] = [canvas.clientWidth * ratio, height * ratio];
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.font = `12px ${FONT}`;
  context.textBaseline = "middle";
  return context;
}

function fillBox(context, colour, x, y, width, height) {
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
}

function drawText(context, text, x, y, colour, align) {
  [context.fillStyle, context.textAlign] = [colour, align];
  context.fillText(text, x, y);
}

function drawRowLabel(context, label, y) {
  const fits = (text) => context.measureText(text).width <= leftMargin() - 10 - TICK_LABELS;
  let text = label;
  for (let end = label.length - 1; end > 0 && !fits(text); end--) text = `${label.slice(0, end)}…`;
  drawText(context, text, leftMargin() - 8 - TICK_LABELS, y, css.ink, "right");
}

// Fills a segment with the colour of its emotion, hatched if it is uncertain.
function fillSegment(context, segment, x, y, width, height) {
  const { colour, ink } = segmentStyle(segment);
  fillBox(context, colour, x, y, width, height);
  if (!segment.uncertain) return;
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.beginPath();
  for (let start = x - height; start < x + width; start += 7) {
    context.moveTo(start, y + height);
    context.lineTo(start + height, y);
  }
  [context.strokeStyle, context.lineWidth] = [ink, 1.2];
  context.stroke();
  context.restore();
}

function drawSegment(context, segment, y, height) {
  const [from, to] = [Math.max(xOf(segment.start), leftMargin()), Math.min(xOf(segment.end), view.width)];
  const width = Math.max(to - from, 1), { name, colour, ink } = segmentStyle(segment);
  fillSegment(context, segment, from, y, width, height);
  [context.strokeStyle, context.lineWidth] = [css.soft, 0.5];
  context.strokeRect(from, y, width, height);
  const note = segment.branches_disagree ? ", parts disagree" : "";
  const label = [segment.label + note, segment.label, name].find((text) => context.measureText(text).width + 10 < width);
  if (!label) return;
  const boxWidth = context.measureText(label).width + 6;
  fillBox(context, colour, (from + to - boxWidth) / 2, y + 4, boxWidth, height - 8);
  drawText(context, label, (from + to) / 2, y + height / 2 + 1, ink, "center");
}

// Calls `visit(x, mean)` for each pixel column: the mean of the values of a track in it, null if all are missing.
function forEachColumn(values, visit) {
  const last = Math.min(view.width, Math.round(xOf(data.duration_s)));
  for (let x = leftMargin(); x < last; x++) {
    const first = Math.floor(timeAt(x) / data.step_s + 1e-9), end = Math.ceil(timeAt(x + 1) / data.step_s);
    let sum = 0, count = 0;
    for (let step = first; step < Math.max(end, first + 1); step++) {
      if (values[step] == null) continue;
      sum += values[step];
      count++;
    }
    visit(x, count ? sum / count : null);
  }
}

function drawLine(context, values, yOf, colour, width) {
  let connected = false;
  context.beginPath();
  forEachColumn(values, (x, value) => {
    if (value !== null && !connected) context.moveTo(x, yOf(value));
    if (value !== null) context.lineTo(x + 1, yOf(value));
    connected = value !== null;
  });
  [context.strokeStyle, context.lineWidth, context.lineJoin] = [colour, width, "round"];
  context.stroke();
}

function drawLineTrack(context, { label, unit, values, scale, colour, height }, top) {
  drawRowLabel(context, label, top + height / 2 - (unit ? 8 : 0));
  if (unit) drawText(context, unit, leftMargin() - 8 - TICK_LABELS, top + height / 2 + 8, css.soft, "right");
  drawLine(context, values, drawAxis(context, scale, top + 6, top + height - 6), css[colour], 1.6);
}

function drawTimeAxis(context, height) {
  const step = TICKS_S.find((candidate) => candidate * scale() > 52) ?? TICKS_S.at(-1);
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    fillBox(context, css.line, Math.round(xOf(time)), 0, 1, height - AXIS);
    const x = clamp(xOf(time), leftMargin() + 12, view.width - 18); // no label is cut off at either end
    drawText(context, formatClock(time, step < 1 ? 1 : 0), x, height - AXIS / 2 + 1, css.soft, "center");
  }
}

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ink", "soft", "line", "band"]) css[name] = style.getPropertyValue(`--${name}`).trim();
}

function draw() {
  readColours();
  view.width = stage.clientWidth;
  const tiers = data.tiers.length * TIER;
  const height = GROUPS.reduce((total, group) => total + group.height, tiers + GAP + AXIS);
  const context = resizeCanvas(stage.querySelector("canvas"), height);
  drawTimeAxis(context, height);
  let top = tiers + GAP;
  for (const group of GROUPS) {
    group.waveformTop = top + (group.speaker ? SPEAKER : 0);
    top += group.height;
  }
  drawTiers(context);
  GROUPS.forEach((group) => drawGroup(context, group));
  drawOverview();
}

function drawGroup(context, group) {
  const { speaker, waveformTop, lanes, lines } = group;
  if (speaker) drawSpeaker(context, speaker, waveformTop - SPEAKER / 2);
  drawWaveform(context, group, waveformTop);
  const lanesTop = waveformTop + WAVEFORM + GAP;
  lanes.forEach((emotion, lane) => drawEmotion(context, emotion, lanesTop + lane * LANE));
  let top = lanesTop + lanes.length * LANE + GAP;
  for (const line of lines) {
    drawLineTrack(context, line, top);
    top += line.height + GAP;
  }
}

function drawSpeaker(context, speaker, y) {
  context.font = `bold 13px ${FONT}`;
  drawText(context, speaker, leftMargin(), y, css.ink, "left");
  context.font = `12px ${FONT}`;
}

// Draws the segments in their tiers, and tints the waveforms of their speakers with their colours.
function drawTiers(context) {
  data.tiers.forEach((tier, row) => {
    fillBox(context, css.band, leftMargin(), row * TIER, view.width - leftMargin(), TIER - 3);
    drawRowLabel(context, tier || "segments", row * TIER + TIER / 2 - 1);
  });
  for (const segment of data.segments.filter(({ start, end }) => end > view.from && start < view.to)) {
    drawSegment(context, segment, segment.tier * TIER, TIER - 3);
    if (segment.emotion === null) continue;
    const [from, to] = [Math.max(xOf(segment.start), leftMargin()), xOf(segment.end)];
    context.globalAlpha = 0.2;
    fillBox(context, segmentStyle(segment).colour, from, GROUPS[segment.tracks].waveformTop, to - from, WAVEFORM);
    context.globalAlpha = 1;
  }
}

function drawEmotion(context, { name, colour, outline }, top) {
  const bottom = top + LANE - 6, yOf = drawAxis(context, SHARE_SCALE, top + 6, bottom);
  forEachColumn(outline, (x, percent) => fillBox(context, colour, x, yOf(percent), 1, bottom - yOf(percent)));
  drawLine(context, outline, yOf, css.ink, 0.7);
  drawRowLabel(context, name, top + LANE / 2);
}

function drawOverview() {
  overview.hidden = view.to - view.from >= data.duration_s;
  if (overview.hidden) return;
  const context = resizeCanvas(overview, OVERVIEW), width = overview.clientWidth;
  const pixelsPerSecond = width / data.duration_s, rowHeight = OVERVIEW / data.tiers.length;
  fillBox(context, css.band, 0, 0, width, OVERVIEW);
  for (const segment of data.segments) {
    const segmentWidth = Math.max((segment.end - segment.start) * pixelsPerSecond, 1);
    fillSegment(context, segment, segment.start * pixelsPerSecond, segment.tier * rowHeight, segmentWidth, rowHeight);
  }
  [context.strokeStyle, context.lineWidth] = [css.ink, 2];
  const viewWidth = Math.max((view.to - view.from) * pixelsPerSecond - 2, 3);
  context.strokeRect(view.from * pixelsPerSecond + 1, 1, viewWidth, OVERVIEW - 2);
}
