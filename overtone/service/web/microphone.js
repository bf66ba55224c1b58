// The microphone: records to a WAV file, and streams the audio to the service for live predictions.

import { absoluteUrl, getKey, sleep } from "./service.js";

const MAX_BUFFERED_BYTES = 4_000_000; // not sent yet; with more, predictions would be too late
const HEADER_BYTES = 44, MAX_WAV_BYTES = 2 ** 32;
const MARGIN_BYTES = 1_000_000, MARGIN_S = 1; // below the limits of the service, for the rest of the request
const CHUNKS_PER_BLOB = 256; // joined to one blob, which the browser may move to disk
const LAST_CHUNK_TIMEOUT_MS = 1000;
// Without the processing for calls: it changes loudness, which is a cue for emotion.
const UNPROCESSED = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const MONO_INPUT = { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" };

// Records until `stop` is called. `onEvent` receives { seconds, peak }, { segment }, { note }, or { stopped }: the
// reason why the recording cannot continue.
export async function record(live, limits, onEvent) {
  if (!navigator.mediaDevices)
    throw new Error("Browsers allow the microphone only for pages of this machine and for pages over HTTPS.");
  const media = await navigator.mediaDevices.getUserMedia({ audio: UNPROCESSED }).catch((error) => {
    throw new Error(MESSAGES[error.name] ?? `The microphone cannot be used: ${error.message}`);
  });
  const [track] = media.getAudioTracks(), context = new AudioContext(), rateHz = context.sampleRate;
  const stream = live ? openStream(rateHz, onEvent) : null;
  const release = () => {
    track.stop();
    stream?.close();
    return context.close();
  };
  const maxBytes = Math.min(limits.bytes, MAX_WAV_BYTES) - HEADER_BYTES - MARGIN_BYTES, startTime = new Date();
  let parts = [], bytes = 0, capture, resolveLast;
  const lastChunk = new Promise((resolve) => (resolveLast = resolve));
  const addChunk = ({ data }) => {
    parts.push(data.chunk);
    bytes += data.chunk.byteLength;
    if (parts.length === CHUNKS_PER_BLOB) parts = [new Blob(parts)];
    stream?.push(data.chunk);
    if (data.last) return resolveLast();
    const seconds = bytes / 2 / rateHz;
    onEvent({ seconds, peak: data.peak });
    if (bytes >= maxBytes || seconds >= limits.seconds - MARGIN_S)
      onEvent({ stopped: "The recording has reached the limit of the service." });
  };
  try {
    track.onended = () => onEvent({ stopped: "The microphone was disconnected: the audio until then is saved." });
    await context.audioWorklet.addModule(absoluteUrl("page/capture.js"));
    capture = new AudioWorkletNode(context, "capture", MONO_INPUT);
    capture.port.onmessage = addChunk;
    context.createMediaStreamSource(media).connect(capture);
    context.resume(); // some browsers start audio only after a click, which may be too long ago
  } catch (error) {
    release();
    throw error;
  }

  // Stops; returns the file, named after its start time, or null if the recording is discarded.
  async function stop(keep) {
    capture.port.postMessage("last");
    await Promise.race([lastChunk, sleep(LAST_CHUNK_TIMEOUT_MS)]); // the audio device may have stopped
    await release();
    const name = `recording ${timestamp(startTime)}.wav`;
    return keep ? new File([wavHeader(bytes, rateHz), ...parts], name, { type: "audio/wav" }) : null;
  }
  return { stop };
}

const MESSAGES = {
  NotAllowedError: "The browser was not allowed to use the microphone: see the icon next to the address.",
  NotFoundError: "No microphone was found.",
  NotReadableError: "Another program is using the microphone.",
};

// Local time, such as "2026-11-28 14.03.05": file names cannot contain colons on all systems.
function timestamp(date) {
  const local = new Date(date - date.getTimezoneOffset() * 60_000).toISOString();
  return local.slice(0, 19).replace("T", " ").replaceAll(":", ".");
}

// Source: Microsoft & IBM (1991), "Multimedia programming interface and data specifications 1.0": RIFF, WAVE.
function wavHeader(bytes, rateHz) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const text = (offset, letters) =>
    [...letters].forEach((letter, k) => view.setUint8(offset + k, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  [1, 1].forEach((value, k) => view.setUint16(20 + 2 * k, value, true)); // PCM, mono
  [rateHz, 2 * rateHz].forEach((value, k) => view.setUint32(24 + 4 * k, value, true));
  [2, 16].forEach((value, k) => view.setUint16(32 + 2 * k, value, true)); // bytes and bits per sample
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}

// Streams audio to the service. If the stream fails, only the live predictions stop: the recording continues.
function openStream(rateHz, onEvent) {
  const socket = new WebSocket(absoluteUrl("v1/stream").replace(/^http/, "ws"));
  let ready = false, closed = false;
  const pending = []; // chunks recorded before the service is ready
  const close = (reason) => {
    if (!closed && reason) onEvent({ note: `No live predictions: ${reason}` });
    closed = true;
    socket.close();
  };
  socket.onopen = () => socket.send(JSON.stringify({ rate_hz: rateHz, encoding: "pcm16", key: getKey() }));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "error") close(message.error.message);
    if (message.type === "segment") onEvent({ segment: message });
    if (message.type !== "ready") return;
    ready = true;
    pending.splice(0).forEach((chunk) => socket.send(chunk));
  };
  socket.onclose = () => close(ready ? "the connection was lost." : "the service accepts no further stream now.");
  return {
    push(chunk) {
      if (closed) return;
      if (!ready) pending.push(chunk);
      else if (socket.bufferedAmount < MAX_BUFFERED_BYTES) socket.send(chunk);
      else close("the network is too slow.");
    },
    close: () => close(""),
  };
}
