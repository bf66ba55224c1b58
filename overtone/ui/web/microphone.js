// The microphone: keeps what it hears as a WAV file, and lets the service answer while it comes in.

import { address, keyGiven } from "./service.js";

const MOST_WAITING_BYTES = 4_000_000; // that the network has not taken yet: then answers would come too late
const HEADER_BYTES = 44;
const ROOM_BYTES = 1_000_000, ROOM_S = 1; // below the limits of the service, for the rest of the request
// As it is: what browsers do to a voice for calls changes its loudness, which is a part of how it sounds.
const AS_IT_IS = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };

// Hears until `stop`. `tell` is called with what is new: { seconds, loudest }, { segment }, { note }, or { over } where
// nothing more can be heard.
export async function hear(live, limits, tell) {
  if (!navigator.mediaDevices)
    throw new Error("Browsers give the microphone to pages of this machine and to pages over HTTPS alone.");
  const source = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS }).catch((error) => {
    throw new Error(WHY[error.name] ?? `The microphone cannot be used: ${error.message}`);
  });
  const [track] = source.getAudioTracks(), context = new AudioContext();
  track.onended = () => tell({ over: true }); // it was unplugged, or the browser takes it back
  await context.audioWorklet.addModule(address("page/capture.js")).catch((error) => {
    track.stop();
    throw error;
  });
  const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1 });
  const wire = live ? opened(context.sampleRate, tell) : null;
  const chunks = [];
  let bytes = 0, ended;
  const last = new Promise((resolve) => (ended = resolve));
  capture.port.onmessage = ({ data }) => {
    chunks.push(new Blob([data.chunk])); // which a browser may keep on disk
    bytes += data.chunk.byteLength;
    wire?.push(data.chunk);
    const seconds = bytes / 2 / context.sampleRate;
    const over = bytes >= limits.bytes - HEADER_BYTES - ROOM_BYTES || seconds >= limits.seconds - ROOM_S;
    if (data.last) ended();
    else tell({ seconds, loudest: data.loudest, over });
  };
  context.createMediaStreamSource(source).connect(capture);

  // The file, named after when it was begun; null where nothing is to be kept.
  const began = new Date();
  async function stop(keep) {
    capture.port.postMessage("last");
    await last;
    track.stop();
    wire?.close();
    await context.close();
    const name = `recording ${stamp(began)}.wav`;
    return keep ? new File([header(bytes, context.sampleRate), ...chunks], name, { type: "audio/wav" }) : null;
  }
  return { stop };
}

const WHY = {
  NotAllowedError: "The browser was not allowed to use the microphone: see the sign beside the address.",
  NotFoundError: "There is no microphone here.",
  NotReadableError: "Another program has the microphone.",
};

// Local time, such as "2026-11-28 14.03.05": colons are no good in names of files.
function stamp(date) {
  const local = new Date(date - date.getTimezoneOffset() * 60_000).toISOString();
  return local.slice(0, 19).replace("T", " ").replaceAll(":", ".");
}

// Source: Microsoft & IBM (1991), "Multimedia programming interface and data specifications 1.0": RIFF, WAVE.
function header(bytes, rateHz) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const text = (at, letters) => [...letters].forEach((one, k) => view.setUint8(at + k, one.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  [1, 1].forEach((value, k) => view.setUint16(20 + 2 * k, value, true)); // PCM, mono
  [rateHz, 2 * rateHz].forEach((value, k) => view.setUint32(24 + 4 * k, value, true));
  [2, 16].forEach((value, k) => view.setUint16(32 + 2 * k, value, true)); // bytes and bits of a sample
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}

// A stream that may fail without harm: what is recorded is answered at its end all the same.
function opened(rateHz, tell) {
  const wire = new WebSocket(address("v1/stream").replace(/^http/, "ws"));
  let ready = false, over = false;
  const kept = []; // what comes in before the service is ready
  const end = (note) => {
    if (!over && note) tell({ note });
    over = true;
    wire.close();
  };
  wire.onopen = () => wire.send(JSON.stringify({ rate_hz: rateHz, encoding: "pcm16", key: keyGiven() }));
  wire.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "error") end(`No answers while you speak: ${message.error.message}`);
    if (message.type === "segment") tell({ segment: message });
    if (message.type !== "ready") return;
    ready = true;
    kept.splice(0).forEach((chunk) => wire.send(chunk));
  };
  wire.onclose = () => end("No answers while you speak: the service has no time for a stream.");
  return {
    push(chunk) {
      if (over) return;
      if (!ready) kept.push(chunk);
      else if (wire.bufferedAmount < MOST_WAITING_BYTES) wire.send(chunk);
      else end("No answers while you speak: the network is too slow for it.");
    },
    close: () => end(""),
  };
}
