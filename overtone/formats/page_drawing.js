"use strict";
// What the page shows: the drawing of the timeline in its canvases. `page_player.js` comes after it and moves in it.

const data = JSON.parse(document.getElementById("data").textContent);
const stage = document.getElementById("stage"), overview = document.getElementById("overview");
const TIER = 28, WAVEFORM = 84, LANE = 26, PITCH = 78, LOUDNESS = 60, AXIS = 20, GAP = 10, OVERVIEW = 26; // pixels
const TICKS_S = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const FONT = "system-ui, sans-serif";
const view = { from: 0, to: Math.min(90, data.duration_s), width: 0 }; // seconds, pixels
const MEASURED = [
  { what: "pitch", unit: "Hz", track: data.pitch_hz, colour: "ink", height: PITCH },
  { what: "loudness", unit: "dB", track: data.loudness_db, colour: "soft", height: LOUDNESS },
];
for (const one of MEASURED) {
  one.low = one.track.reduce((low, value) => (value === null ? low : Math.min(low, value)), Infinity);
  one.high = one.track.reduce((high, value) => (value === null ? high : Math.max(high, value)), -Infinity);
}
for (const one of data.emotions) one.edge = one.percent.map((value) => value || null); // no line along the floor

const signed = (value) => String(value).replace("-", "−");
const css = {}; // colours of the page, read anew for every drawing: they change with light and dark
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const left = () => (view.width < 600 ? 68 : 92); // of the curves; names stand before
const scale = () => (view.width - left()) / (view.to - view.from); // pixels per second
const xOf = (time) => left() + (time - view.from) * scale();
const timeAt = (x) => view.from + (x - left()) / scale();
const looks = ({ emotion }) => data.emotions[emotion] ?? { name: "", colour: css.band, ink: css.soft };

function clock(time, digits = 0) {
  const whole = Math.floor(time * 10 ** digits + 1e-6) / 10 ** digits;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const seconds = (whole % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

function sized(target, height) {
  const ratio = window.devicePixelRatio || 1;
  target.style.height = `${height}px`;
  [target.width, target.height] = [target.clientWidth * ratio, height * ratio];
  const pen = target.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = `12px ${FONT}`;
  pen.textBaseline = "middle";
  return pen;
}

function box(pen, colour, x, y, width, height) {
  pen.fillStyle = colour;
  pen.fillRect(x, y, width, height);
}

function text(pen, words, x, y, colour, align) {
  [pen.fillStyle, pen.textAlign] = [colour, align];
  pen.fillText(words, x, y);
}

function nameRow(pen, words, y) {
  const fits = (shown) => pen.measureText(shown).width <= left() - 10;
  let shown = words;
  for (let end = words.length - 1; end > 0 && !fits(shown); end--) shown = `${words.slice(0, end)}…`;
  text(pen, shown, left() - 8, y, css.ink, "right");
}

function band(pen, segment, x, y, width, height) {
  const { colour, ink } = looks(segment);
  box(pen, colour, x, y, width, height);
  if (!segment.uncertain) return;
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.beginPath();
  for (let at = x - height; at < x + width; at += 7) {
    pen.moveTo(at, y + height);
    pen.lineTo(at + height, y);
  }
  [pen.strokeStyle, pen.lineWidth] = [ink, 1.2];
  pen.stroke();
  pen.restore();
}

function worded(pen, segment, y, height) {
  const [from, to] = [Math.max(xOf(segment.start), left()), Math.min(xOf(segment.end), view.width)];
  const width = Math.max(to - from, 1), { name, colour, ink } = looks(segment);
  band(pen, segment, from, y, width, height);
  [pen.strokeStyle, pen.lineWidth] = [css.soft, 0.5];
  pen.strokeRect(from, y, width, height);
  const sign = segment.apart ? " ≠" : ""; // the branches disagree
  const shown = [segment.words + sign, name + sign].find((words) => pen.measureText(words).width + 10 < width);
  if (!shown) return;
  const room = pen.measureText(shown).width + 6;
  box(pen, colour, (from + to - room) / 2, y + 4, room, height - 8);
  text(pen, shown, (from + to) / 2, y + height / 2 + 1, ink, "center");
}

// In each column of pixels the mean of what is known of a track; null where nothing is.
function columns(track, take) {
  const last = Math.min(view.width, Math.round(xOf(data.duration_s)));
  for (let x = left(); x < last; x++) {
    const first = Math.floor(timeAt(x) / data.step_s + 1e-9), end = Math.ceil(timeAt(x + 1) / data.step_s);
    let sum = 0, count = 0;
    for (let step = first; step < Math.max(end, first + 1); step++) {
      if (track[step] == null) continue;
      sum += track[step];
      count++;
    }
    take(x, count ? sum / count : null);
  }
}

function line(pen, track, yOf, colour, width) {
  let drawn = false;
  pen.beginPath();
  columns(track, (x, value) => {
    if (value !== null && !drawn) pen.moveTo(x, yOf(value));
    if (value !== null) pen.lineTo(x + 1, yOf(value));
    drawn = value !== null;
  });
  [pen.strokeStyle, pen.lineWidth, pen.lineJoin] = [colour, width, "round"];
  pen.stroke();
}

function drawMeasured(pen, { what, unit, track, low, high, colour, height }, top) {
  nameRow(pen, what, top + height / 2 - 8);
  text(pen, unit, left() - 8, top + height / 2 + 8, css.soft, "right");
  if (low > high) return;
  line(pen, track, (value) => top + height - 6 - ((value - low) / (high - low || 1)) * (height - 12), css[colour], 1.6);
  pen.font = `10px ${FONT}`;
  text(pen, signed(high), left() + 3, top + 5, css.soft, "left");
  text(pen, signed(low), left() + 3, top + height - 15, css.soft, "left"); // above the line
  pen.font = `12px ${FONT}`;
}

function drawTimes(pen, height) {
  const step = TICKS_S.find((one) => one * scale() > 52) ?? TICKS_S.at(-1);
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    box(pen, css.line, Math.round(xOf(time)), 0, 1, height - AXIS);
    const x = clamp(xOf(time), left() + 12, view.width - 18); // a whole word at either end
    text(pen, clock(time, step < 1 ? 1 : 0), x, height - AXIS / 2 + 1, css.soft, "center");
  }
}

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ink", "soft", "line", "band"]) css[name] = style.getPropertyValue(`--${name}`).trim();
}

function draw() {
  readColours();
  view.width = stage.clientWidth;
  const tiers = data.tiers.length * TIER, lanes = data.emotions.length * LANE, width = view.width - left();
  const height = tiers + WAVEFORM + lanes + PITCH + LOUDNESS + 4 * GAP + AXIS;
  const pen = sized(stage.querySelector("canvas"), height);
  drawTimes(pen, height);
  let top = tiers + GAP;
  data.tiers.forEach((tier, row) => {
    box(pen, css.band, left(), row * TIER, width, TIER - 3);
    nameRow(pen, tier || "segments", row * TIER + TIER / 2 - 1);
  });
  for (const segment of data.segments.filter(({ start, end }) => end > view.from && start < view.to)) {
    worded(pen, segment, segment.tier * TIER, TIER - 3);
    const [from, to] = [Math.max(xOf(segment.start), left()), xOf(segment.end)];
    pen.globalAlpha = 0.2;
    if (segment.emotion !== null) box(pen, looks(segment).colour, from, top, to - from, WAVEFORM);
    pen.globalAlpha = 1;
  }
  nameRow(pen, "sound", top + WAVEFORM / 2);
  columns(data.envelope, (x, value) => {
    const tall = Math.max(value * WAVEFORM, 1);
    box(pen, css.soft, x, top + (WAVEFORM - tall) / 2, 1, tall);
  });
  top += WAVEFORM + GAP;
  for (const emotion of data.emotions) {
    const floor = top + LANE - 1, tall = (percent) => (percent / 100) * (LANE - 4);
    box(pen, css.line, left(), floor, width, 1);
    columns(emotion.edge, (x, percent) => box(pen, emotion.colour, x, floor - tall(percent), 1, tall(percent)));
    line(pen, emotion.edge, (percent) => floor - tall(percent), css.ink, 0.7);
    nameRow(pen, emotion.name, top + LANE / 2);
    top += LANE;
  }
  for (const one of MEASURED) {
    drawMeasured(pen, one, top + GAP);
    top += GAP + one.height;
  }
  drawOverview();
}

function drawOverview() {
  overview.hidden = view.to - view.from >= data.duration_s;
  if (overview.hidden) return;
  const pen = sized(overview, OVERVIEW), width = overview.clientWidth, per = width / data.duration_s;
  const row = OVERVIEW / data.tiers.length;
  box(pen, css.band, 0, 0, width, OVERVIEW);
  for (const one of data.segments)
    band(pen, one, one.start * per, one.tier * row, Math.max((one.end - one.start) * per, 1), row);
  [pen.strokeStyle, pen.lineWidth] = [css.ink, 2];
  pen.strokeRect(view.from * per + 1, 1, Math.max((view.to - view.from) * per - 2, 3), OVERVIEW - 2);
}
