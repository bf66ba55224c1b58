// The waveform: the peaks of each step of the timeline; where a step is wider than a pixel, the samples themselves. Those
// are decoded a piece at a time, so that the page needs little memory whatever the length of the recording.

const RATE_HZ = 16000; // of the embedded audio; other audio is converted to it
const MAX_PIECE_S = 200, MAX_FILE_S = 900, MAX_FILE_BYTES = 2e8, MARGIN_S = 0.5;
const MAX_DIFFERENCE_S = 1; // of the duration of the same recording in another container
const SIDES = { left: 1, right: 2 };
const embeddedAudio = document.getElementById("audio-data");
const embeddedBytes = embeddedAudio && decodeBase64(embeddedAudio.textContent);
let oggPages = null, decoding = false;
let piece = null; // { from, to, start, samples, peak }: the times that were asked for, and the number of the first sample

function decodeBase64(text) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

// The pages of an Ogg stream; `end` is the number of samples up to the end of a page: 0 for headers, -1 where none ends.
function indexOgg(bytes) {
  const fields = new DataView(bytes.buffer), pages = [];
  for (let start = 0; start + 27 <= bytes.length; start = pages.at(-1).stop) {
    const segments = bytes.subarray(start + 27, start + 27 + bytes[start + 26]);
    const stop = segments.reduce((sum, size) => sum + size, start + 27 + segments.length);
    pages.push({ start, stop, end: Number(fields.getBigInt64(start + 6, true)) });
  }
  return pages;
}

// Returns a channel: "left", "right" or a number from 1; otherwise, or if there is none, the mean of all channels.
async function decodeAudio(buffer, channel = "mix") {
  const audio = await new OfflineAudioContext(1, 1, RATE_HZ).decodeAudioData(buffer);
  const channels = Array.from({ length: audio.numberOfChannels }, (_, index) => audio.getChannelData(index));
  const chosen = channels[(SIDES[channel] ?? Number(channel)) - 1], [first, ...others] = channels;
  if (chosen || !others.length) return chosen ?? first;
  return first.map((value, index) => others.reduce((sum, other) => sum + other[index], value) / audio.numberOfChannels);
}

// Decodes the part of the embedded audio between two times: the headers and the pages around it are a stream of their own.
async function decodePart(from, to) {
  oggPages ??= indexOgg(embeddedBytes);
  const headers = oggPages.findIndex(({ end }) => end > 0);
  const found = oggPages.findIndex(({ end }) => end > from * RATE_HZ);
  const first = Math.max((found < 0 ? oggPages.length : found) - 2, headers); // a decoder needs what is before
  const after = oggPages.findIndex(({ end }) => end >= to * RATE_HZ);
  const last = after < 0 ? oggPages.length - 1 : after;
  const parts = [
    embeddedBytes.subarray(0, oggPages[headers].start),
    embeddedBytes.subarray(oggPages[first].start, oggPages[last].stop),
  ];
  const samples = await decodeAudio(await new Blob(parts).arrayBuffer());
  piece = { from, to, start: oggPages[last].end - samples.length, samples, peak: data.peak };
}

// Takes the audio of a page without embedded audio, as a blob, and the channel of it that the timeline is of; the page of
// the service calls it. Audio of another duration is another recording.
async function setWaveformAudio(file, channel) {
  if (data.duration_s > MAX_FILE_S || file.size > MAX_FILE_BYTES || data.tracks.length > 1) return;
  const samples = await decodeAudio(await file.arrayBuffer(), channel).catch(() => null);
  if (!samples) return; // a format that this browser does not know
  if (Math.abs(samples.length / RATE_HZ - data.duration_s) > MAX_DIFFERENCE_S) return;
  const peak = samples.reduce((highest, value) => Math.max(highest, Math.abs(value)), 1e-9);
  piece = { from: 0, to: Infinity, start: 0, samples, peak };
  draw();
}

// The decoded samples of the view, if they show more than the steps do; decodes them, and draws again, if need be.
function samplesOfView() {
  const to = Math.min(view.to, data.duration_s);
  if (data.step_s * scale() < 1.5 || data.tracks.length > 1 || to - view.from > MAX_PIECE_S) return null;
  if (piece && piece.from <= view.from && piece.to >= to) return piece;
  if (embeddedBytes && !decoding) {
    decoding = true;
    decodePart(Math.max(view.from - MARGIN_S, 0), Math.min(to + MARGIN_S, data.duration_s))
      .then(() => (decoding = false, draw()))
      .catch(() => {}); // an invalid stream is not tried again; the player shows the error
  }
  return null;
}

function drawWaveform(context, { envelope }, top) {
  drawRowLabel(context, "sound", top + WAVEFORM / 2);
  const middle = top + WAVEFORM / 2, half = WAVEFORM / 2 - 1;
  fillBox(context, css.line, leftMargin(), middle, view.width - leftMargin(), 1);
  const decoded = samplesOfView(), last = Math.min(view.width, Math.round(xOf(data.duration_s)));
  stage.dataset.waveform = decoded ? "samples" : "steps";
  for (let x = leftMargin(); x < last; x++) {
    const [low, high] = decoded ? sampleRange(decoded, timeAt(x), timeAt(x + 1)) : stepRange(envelope, x);
    fillBox(context, css.soft, x, middle - high * half, 1, Math.max((high - low) * half, 1));
  }
}

// The lowest and the highest sample between two times, relative to the peak of the recording.
function sampleRange({ start, samples, peak }, from, to) {
  const first = Math.floor(from * RATE_HZ) - start, end = Math.max(Math.ceil(to * RATE_HZ) - start, first + 1);
  let low = Infinity, high = -Infinity;
  for (let index = Math.max(first, 0); index < Math.min(end, samples.length); index++) {
    low = Math.min(low, samples[index]);
    high = Math.max(high, samples[index]);
  }
  return low > high ? [0, 0] : [clamp(low / peak, -1, 1), clamp(high / peak, -1, 1)]; // the codec adds a little
}

// The highest of all steps in a pixel column; where steps are wider than pixels, a line between their middles.
function stepRange(envelope, x) {
  const first = timeAt(x) / data.step_s, end = timeAt(x + 1) / data.step_s;
  let high = 0;
  if (end - first >= 1) {
    for (let step = Math.floor(first); step < end; step++) high = Math.max(high, envelope[step] ?? 0);
  } else {
    const place = Math.max(first - 0.5, 0), step = Math.floor(place), before = envelope[step] ?? 0;
    high = before + (place - step) * ((envelope[step + 1] ?? before) - before);
  }
  return [-high, high];
}
