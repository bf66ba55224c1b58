// The microphone: keeps what it hears as a WAV file, and lets the service answer while it comes in.

import { address, keyGiven, pause } from "./service.js";

const MOST_WAITING_BYTES = 4_000_000; // that the network has not taken yet: then answers would come too late
const HEADER_BYTES = 44, LARGEST_BYTES = 2 ** 32; // of a WAV file
const ROOM_BYTES = 1_000_000, ROOM_S = 1; // below the limits of the service, for the rest of the request
const PIECE_CHUNKS = 256; // joined to one piece, which the browser may keep on disk
const LAST_MS = 1000; // that the sound card may take for what it still has
// As it is: what browsers do to a voice for calls changes its loudness, which is a part of how it sounds.
const AS_IT_IS = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const ONE_CHANNEL = { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" };

// Hears until `stop`. `tell` is called with what is new: { seconds, loudest }, { segment }, { note }, or { over }: why
// nothing more can be heard.
export async function hear(live, limits, tell) {
  if (!navigator.mediaDevices)
    throw new Error("Browsers give the microphone to pages of this machine and to pages over HTTPS alone.");
  const source = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS }).catch((error) => {
    throw new Error(WHY[error.name] ?? `The microphone cannot be used: ${error.message}`);
  });
  const [track] = source.getAudioTracks(), context = new AudioContext(), rateHz = context.sampleRate;
  const wire = live ? opened(rateHz, tell) : null;
  const off = () => {
    track.stop();
    wire?.close();
    return context.close();
  };
  const most = Math.min(limits.bytes, LARGEST_BYTES) - HEADER_BYTES - ROOM_BYTES, began = new Date();
  let pieces = [], bytes = 0, capture, ended;
  const last = new Promise((resolve) => (ended = resolve));
  const take = ({ data }) => {
    pieces.push(data.chunk);
    bytes += data.chunk.byteLength;
    if (pieces.length === PIECE_CHUNKS) pieces = [new Blob(pieces)];
    wire?.push(data.chunk);
    if (data.last) return ended();
    const seconds = bytes / 2 / rateHz;
    tell({ seconds, loudest: data.loudest });
    if (bytes >= most || seconds >= limits.seconds - ROOM_S) tell({ over: "The service takes no longer recordings." });
  };
  try {
    track.onended = () => tell({ over: "The microphone has gone: what it heard until then was kept." });
    await context.audioWorklet.addModule(address("page/capture.js"));
    capture = new AudioWorkletNode(context, "capture", ONE_CHANNEL);
    capture.port.onmessage = take;
    context.createMediaStreamSource(source).connect(capture);
    context.resume(); // some browsers let sound begin only after a click, which is a while ago by now
  } catch (error) {
    off();
    throw error;
  }

  // The file, named after when it was begun; null where nothing is to be kept.
  async function stop(keep) {
    capture.port.postMessage("last");
    await Promise.race([last, pause(LAST_MS)]); // a sound card may stand still
    await off();
    const name = `recording ${stamp(began)}.wav`;
    return keep ? new File([header(bytes, rateHz), ...pieces], name, { type: "audio/wav" }) : null;
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
  const end = (why) => {
    if (!over && why) tell({ note: `No answers while you speak: ${why}` });
    over = true;
    wire.close();
  };
  wire.onopen = () => wire.send(JSON.stringify({ rate_hz: rateHz, encoding: "pcm16", key: keyGiven() }));
  wire.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "error") end(message.error.message);
    if (message.type === "segment") tell({ segment: message });
    if (message.type !== "ready") return;
    ready = true;
    kept.splice(0).forEach((chunk) => wire.send(chunk));
  };
  wire.onclose = () => end(ready ? "the connection was lost." : "the service has no time for a stream.");
  return {
    push(chunk) {
      if (over) return;
      if (!ready) kept.push(chunk);
      else if (wire.bufferedAmount < MOST_WAITING_BYTES) wire.send(chunk);
      else end("the network is too slow for it.");
    },
    close: () => end(""),
  };
}
