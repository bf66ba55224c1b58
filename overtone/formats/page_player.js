// Playback, seeking and input. Tracks are drawn once per view; during playback only the cursor moves.

const [cursor, tip, play, list, message] = ["cursor", "tip", "play", "segments", "message"].map((id) =>
  document.getElementById(id),
);
const audio = document.querySelector("audio");
let buttons = [...list.querySelectorAll("button")]; // one per segment, in the same order
const MIN_VIEW_S = Math.min(2, data.duration_s);
let now = 0, dragging = false, highlighted = [];

const segmentsAt = (time) => data.segments.filter(({ start, end }) => start <= time && time < end);
const describe = (segments) =>
  segments.map(({ speaker, label }) => (speaker ? `${speaker}: ${label}` : label)).join(", ") || "no speech";

// Shows the current position: cursor, clock, segment label and list entry.
function showPosition() {
  const segments = segmentsAt(now), description = describe(segments);
  const time = `${formatClock(now)} / ${formatClock(data.duration_s)}`;
  cursor.hidden = now < view.from || now > view.to;
  cursor.style.transform = `translateX(${xOf(now)}px)`;
  document.getElementById("now").textContent = description;
  document.getElementById("clock").textContent = time;
  stage.setAttribute("aria-valuemax", data.duration_s);
  stage.setAttribute("aria-valuenow", Math.floor(now));
  stage.setAttribute("aria-valuetext", `${time}, ${description}`);
  highlight(segments.map((segment) => buttons[data.segments.indexOf(segment)]));
}

function highlight(current) {
  highlighted.filter((button) => !current.includes(button)).forEach((button) => button.removeAttribute("aria-current"));
  for (const button of current.filter((button) => !highlighted.includes(button))) {
    button.setAttribute("aria-current", "true");
    if (!list.contains(document.activeElement)) list.scrollTop = button.offsetTop - list.clientHeight / 2;
  }
  highlighted = current;
}

function setView(from, span) {
  span = clamp(span, MIN_VIEW_S, data.duration_s);
  view.from = clamp(from, 0, data.duration_s - span);
  view.to = view.from + span;
  redraw();
}

function redraw() {
  tip.hidden = true;
  draw();
  showPosition();
  stage.dispatchEvent(new Event("drawn"));
}

const zoom = (factor) => setView(now - (now - view.from) * factor, (view.to - view.from) * factor);

function setPosition(time) {
  now = clamp(time, 0, data.duration_s);
  const span = view.to - view.from;
  now < view.from || now > view.to ? setView(now - span / 10, span) : showPosition();
}

function seek(time) {
  setPosition(time);
  if (audio.readyState) audio.currentTime = now;
}

const formatShare = (percent) => (percent / 100).toFixed(2);

// Shows the values at a horizontal position.
function showTip(x) {
  const time = timeAt(x), step = Math.floor(time / data.step_s), segments = segmentsAt(time);
  tip.style.top = `${data.tiers.length * TIER}px`;
  tip.hidden = x < leftMargin() || time >= data.duration_s;
  if (tip.hidden) return;
  const append = (tag, text, parent) => {
    const element = parent.appendChild(document.createElement(tag));
    element.textContent = text;
    return element;
  };
  tip.replaceChildren();
  append("b", formatClock(time, 1), tip);
  append("b", describe(segments), tip);
  for (const { text } of segments.filter(({ text }) => text)) append("small", text, tip);
  for (const { branches } of segments.filter(({ branches }) => branches)) append("small", branches, tip);
  for (const { speaker, lanes, pitch_hz, loudness_db, affect } of GROUPS) {
    if (speaker) append("b", speaker, tip);
    for (const { name, colour, percent } of lanes.filter(({ percent }) => percent[step] !== null)) {
      const row = append("div", "", tip);
      append("span", name, row);
      Object.assign(append("i", "", row).style, { background: colour, width: `${percent[step]}%` });
      append("span", formatShare(percent[step]), row);
    }
    const pitch = pitch_hz[step] === null ? "no pitch" : `${pitch_hz[step]} Hz`;
    append("small", `${pitch}, ${formatSigned(loudness_db[step])} dB`, tip);
    const lines = affect.filter(({ values }) => values[step] !== null);
    if (lines.length) append("small", lines.map(({ label, values }) => `${label} ${formatShare(values[step])}`).join(", "), tip);
  }
  tip.style.left = `${x + 16 + tip.offsetWidth > view.width ? Math.max(x - 16 - tip.offsetWidth, 0) : x + 16}px`;
}

// --- Audio. ---

function togglePlayback() {
  if (audio.paused) audio.play().catch(showAudioError);
  else audio.pause();
}

function showAudioError() {
  message.textContent = data.audio_file
    ? `Audio file not found: put “${data.audio_file}” into the folder of this page.`
    : `This browser cannot play the audio${embeddedBytes ? " (Ogg Vorbis)" : ""}.`;
}

function followPlayback() {
  setPosition(audio.currentTime);
  if (!audio.paused) requestAnimationFrame(followPlayback);
}

function updatePlayButton() {
  play.textContent = audio.paused ? "▶" : "❚❚";
  play.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
  if (audio.paused) return;
  tip.hidden = true;
  followPlayback();
}

if (embeddedBytes) audio.src = URL.createObjectURL(new Blob([embeddedBytes], { type: "audio/ogg" }));
audio.addEventListener("error", showAudioError);
audio.addEventListener("loadedmetadata", () => (audio.currentTime = now));
for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, updatePlayButton);

// --- Pointer and keyboard. ---

const stageX = (event) => event.clientX - stage.getBoundingClientRect().left;
stage.addEventListener("pointerdown", (event) => {
  dragging = event.pointerType === "mouse";
  if (dragging) stage.setPointerCapture(event.pointerId);
  seek(timeAt(stageX(event)));
  showTip(stageX(event));
});
stage.addEventListener("pointermove", (event) => {
  showTip(stageX(event));
  if (dragging) seek(timeAt(stageX(event)));
});
for (const event of ["pointerup", "pointercancel"]) stage.addEventListener(event, () => (dragging = false));
stage.addEventListener("pointerleave", (event) => (tip.hidden = event.pointerType === "mouse"));
document.addEventListener("pointerdown", (event) => (tip.hidden ||= !stage.contains(event.target)));
overview.addEventListener("click", (event) => seek((event.offsetX / overview.clientWidth) * data.duration_s));
list.addEventListener("click", ({ target }) => {
  const segment = data.segments[buttons.indexOf(target.closest("button"))];
  if (segment) seek(segment.start);
});
play.addEventListener("click", togglePlayback);
document.getElementById("zoom-in").addEventListener("click", () => zoom(1 / 2));
document.getElementById("zoom-out").addEventListener("click", () => zoom(2));

const KEYS = {
  " ": togglePlayback,
  ArrowLeft: () => seek(now - 1),
  ArrowRight: () => seek(now + 1),
  "+": () => zoom(1 / 2),
  "-": () => zoom(2),
};
const SLIDER_KEYS = { // without focus on the slider, these scroll the page
  ArrowDown: KEYS.ArrowLeft,
  ArrowUp: KEYS.ArrowRight,
  PageDown: () => seek(now - 10),
  PageUp: () => seek(now + 10),
  Home: () => seek(0),
  End: () => seek(data.duration_s),
};
document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key] ?? (event.target === stage && SLIDER_KEYS[event.key]);
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.closest("button")) return; // the key clicks the button
  if (event.target.closest("input, select")) return;
  event.preventDefault();
  action();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(redraw).observe(stage);
