"use strict";
// Scales of the lanes: a range of values, its ticks, and the axis with labels and grid lines.

const TICK_LABELS = 24; // pixels, left of the tracks
const MIN_TICK_DISTANCE = 11; // pixels between labels; further ticks are not drawn
const PITCH_TICKS_HZ = [50, 75, 100, 150, 200, 300, 400, 600];

const minimum = (values) => values.reduce((low, value) => (value === null ? low : Math.min(low, value)), Infinity);
const maximum = (values) => values.reduce((high, value) => (value === null ? high : Math.max(high, value)), -Infinity);
const formatSigned = (value) => String(value).replace("-", "−");

// A scale: `position(value)` is 0 at its lower end and 1 at its upper end; values outside are at the ends.
function makeScale(low, high, ticks, label = formatSigned, transform = (value) => value) {
  const [first, last] = [transform(low), transform(high)];
  const position = (value) => clamp((transform(value) - first) / (last - first), 0, 1);
  return { position, ticks: ticks.filter((tick) => tick >= low && tick <= high), label };
}

// From 0 to 1, of values in per cent.
const SHARE_SCALE = makeScale(0, 100, [0, 50, 100], (percent) => String(percent / 100));

// The range of the values, extended to the next ticks, with equal distances for equal musical intervals.
function pitchScale(values) {
  const low = PITCH_TICKS_HZ.findLast((tick) => tick <= minimum(values)) ?? PITCH_TICKS_HZ[0];
  const high = PITCH_TICKS_HZ.find((tick) => tick >= maximum(values)) ?? PITCH_TICKS_HZ.at(-1);
  const range = minimum(values) > maximum(values) || low === high ? [75, 600] : [low, high]; // nothing, or one pitch
  return makeScale(...range, PITCH_TICKS_HZ, formatSigned, Math.log2);
}

// The range of the values, extended to whole tens.
function loudnessScale(values) {
  const low = Math.floor(minimum(values) / 10) * 10, high = Math.ceil(maximum(values) / 10) * 10;
  const [from, to] = low < high ? [low, high] : [low - 10, low + 10];
  const step = to - from > 40 ? 20 : 10;
  const ticks = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
  return makeScale(from, to, ticks);
}

// Draws the grid lines and tick labels of a scale between two heights, and returns the height of a value.
function drawAxis(context, scale, top, bottom) {
  const yOf = (value) => bottom - scale.position(value) * (bottom - top);
  let free = Infinity; // the height of the last label
  context.font = `10px ${FONT}`;
  for (const tick of scale.ticks) {
    const y = yOf(tick);
    fillBox(context, css.line, leftMargin() - 3, Math.round(y), view.width - leftMargin() + 3, 1);
    if (free - y < MIN_TICK_DISTANCE) continue;
    drawText(context, scale.label(tick), leftMargin() - 6, y + 1, css.soft, "right");
    free = y;
  }
  context.font = `12px ${FONT}`;
  return yOf;
}
