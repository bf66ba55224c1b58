// The sound of a segment as a WAV file of its own, so that not the whole recording is sent to be explained.

const MAX_DECODED_S = 900, MAX_DECODED_BYTES = 1e8; // longer recordings would need too much memory
const MAX_DIFFERENCE_S = 0.005; // between the duration that the service has measured and that of the decoded sound
const HEAD_BYTES = 65_536; // of a file, with its sampling rate
const MAX_CHUNKS = 50; // of a WAV file
const PCM = 1, FLOAT = 3, EXTENSIBLE = 0xfffe; // formats in a WAV file

// Returns the part of a recording between two times as a WAV file with all its channels. The service decodes the same
// samples from it as from the recording; null if that is not certain, or if the recording is smaller: then the
// recording itself is needed. `durationS` is its duration as the service has measured it.
export async function cutExcerpt(file, startS, endS, durationS) {
  try {
    const excerpt = (await cutWav(file, startS, endS, durationS)) ?? (await cutDecoded(file, startS, endS, durationS));
    return excerpt && excerpt.size < file.size ? excerpt : null;
  } catch {
    return null; // a format that this browser does not know, or a file that has changed: the service says so
  }
}

// Cuts the bytes of a WAV file, of any length.
async function cutWav(file, startS, endS, durationS) {
  const { format, rateHz, frameBytes, dataStart, dataBytes } = (await readWavHeader(file)) ?? {};
  const frames = dataBytes / frameBytes;
  if (!format || !isDuration(frames / rateHz, durationS)) return null;
  const [first, end] = framesOf(startS, endS, rateHz, Math.floor(frames));
  const data = file.slice(dataStart + first * frameBytes, dataStart + end * frameBytes);
  return makeWav(format, data, data.size);
}

// Returns what the header of a WAV file says: `format` is the content of its chunk "fmt ". Returns null if it is no such
// file, if it has another length than its header says, or if the sound is compressed.
async function readWavHeader(file) {
  const view = async (start, end) => new DataView(await file.slice(start, end).arrayBuffer());
  const textOf = (bytes, start) => String.fromCharCode(...new Uint8Array(bytes.buffer, start, 4));
  const head = await view(0, 12);
  if (head.byteLength < 12 || textOf(head, 0) !== "RIFF" || textOf(head, 8) !== "WAVE") return null;
  const end = 8 + head.getUint32(4, true);
  if (end !== file.size && end + (end % 2) !== file.size) return null; // unknown, truncated, or two files in a row
  let format = null;
  for (let start = 12, count = 0; start + 8 <= file.size && count < MAX_CHUNKS; count++) {
    const chunk = await view(start, start + 8), name = textOf(chunk, 0), size = chunk.getUint32(4, true);
    if (name === "data") {
      if (!format || start + 8 + size > end) return null;
      const [rateHz, frameBytes] = [format.getUint32(4, true), format.getUint16(12, true)];
      return { format: format.buffer, rateHz, frameBytes, dataStart: start + 8, dataBytes: size };
    }
    if (name === "fmt ") format = await view(start + 8, start + 8 + size);
    if (format && ![PCM, FLOAT, EXTENSIBLE].includes(format.getUint16(0, true))) return null;
    start += 8 + size + (size % 2);
  }
  return null;
}

// Decodes the whole file at its own sampling rate, and cuts the samples.
async function cutDecoded(file, startS, endS, durationS) {
  if (durationS > MAX_DECODED_S || file.size > MAX_DECODED_BYTES) return null;
  const rateHz = await readRate(file);
  if (!rateHz) return null;
  const audio = await new OfflineAudioContext(1, 1, rateHz).decodeAudioData(await file.arrayBuffer());
  if (!isDuration(audio.length / rateHz, durationS)) return null; // such as with the padding of its encoder
  const [first, end] = framesOf(startS, endS, rateHz, audio.length), count = audio.numberOfChannels;
  const samples = new Float32Array((end - first) * count);
  for (let channel = 0; channel < count; channel++)
    audio.getChannelData(channel).subarray(first, end).forEach((value, k) => (samples[k * count + channel] = value));
  const format = new DataView(new ArrayBuffer(16));
  [FLOAT, count].forEach((value, k) => format.setUint16(2 * k, value, true));
  [rateHz, 4 * count * rateHz].forEach((value, k) => format.setUint32(4 + 4 * k, value, true));
  [4 * count, 32].forEach((value, k) => format.setUint16(12 + 2 * k, value, true));
  return makeWav(format.buffer, new Blob([samples]), samples.byteLength); // typed arrays are little-endian everywhere
}

// Returns the sampling rate of FLAC, Ogg Vorbis and MP3 files; null for others: with another sampling rate than its own,
// the samples would be others.
async function readRate(file) {
  const view = new DataView(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const textAt = (start, length) => String.fromCharCode(...new Uint8Array(view.buffer, start, length));
  if (view.byteLength < 64) return null;
  if (textAt(0, 4) === "fLaC") return view.getUint32(18) >>> 12; // 20 bits
  if (textAt(0, 4) === "OggS" && textAt(28, 7) === "\x01vorbis") return view.getUint32(40, true);
  if (textAt(0, 3) !== "ID3") return mp3Rate(view, 0);
  const size = [6, 7, 8, 9].reduce((sum, place) => sum * 128 + view.getUint8(place), 0) + 10;
  return mp3Rate(new DataView(await file.slice(size, size + 4).arrayBuffer()), 0);
}

// Source: ISO/IEC 11172-3, 2.4.2.3, and 13818-3: the header of a frame.
function mp3Rate(view, start) {
  if (view.byteLength < start + 4 || view.getUint16(start) >>> 5 !== 0x7ff) return null; // no header
  const version = (view.getUint8(start + 1) >>> 3) & 3, layer = (view.getUint8(start + 1) >>> 1) & 3;
  const rateHz = [44_100, 48_000, 32_000][(view.getUint8(start + 2) >>> 2) & 3];
  const divisor = [4, null, 2, 1][version]; // MPEG 2.5, reserved, 2, 1
  return rateHz && divisor && layer === 1 ? rateHz / divisor : null; // layer III
}

const isDuration = (foundS, expectedS) => Math.abs(foundS - expectedS) <= MAX_DIFFERENCE_S;

// Returns the first frame of an interval and the one after its last, as the service does.
function framesOf(startS, endS, rateHz, frames) {
  const first = Math.min(roundHalfEven(startS * rateHz), frames - 1);
  return [first, Math.max(first + 1, Math.min(roundHalfEven(endS * rateHz), frames))];
}

function roundHalfEven(value) {
  const nearest = Math.round(value);
  return value % 1 === 0.5 ? nearest - (nearest % 2) : nearest;
}

// Source: Microsoft & IBM (1991), "Multimedia programming interface and data specifications 1.0": RIFF, WAVE.
function makeWav(format, data, dataBytes) {
  const chunk = (name, size) => {
    const view = new DataView(new ArrayBuffer(8));
    [...name].forEach((letter, k) => view.setUint8(k, letter.charCodeAt(0)));
    view.setUint32(4, size, true);
    return view.buffer;
  };
  const parts = ["WAVE", chunk("fmt ", format.byteLength), format, chunk("data", dataBytes), data];
  const size = 4 + 8 + format.byteLength + 8 + dataBytes;
  return new Blob([chunk("RIFF", size), ...parts], { type: "audio/wav" });
}
