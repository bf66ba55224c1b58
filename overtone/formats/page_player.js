// What the page does: it plays, follows and seeks. The curves are drawn once per view; only the cursor moves.

const [cursor, tip, play, list, message] = ["cursor", "tip", "play", "segments", "message"].map((id) =>
  document.getElementById(id),
);
const audio = document.querySelector("audio");
const buttons = [...list.querySelectorAll("button")]; // one per segment, in the same order
const SHORTEST_S = Math.min(2, data.duration_s);
let now = 0, dragged = false, current = [];

const heardAt = (time) => data.segments.filter(({ start, end }) => start <= time && time < end);
const said = (some) =>
  some.map(({ speaker, words }) => (speaker ? `${speaker}: ${words}` : words)).join(", ") || "no speech";

function show() {
  const some = heardAt(now), words = said(some), time = `${clock(now)} / ${clock(data.duration_s)}`;
  cursor.hidden = now < view.from || now > view.to;
  cursor.style.transform = `translateX(${xOf(now)}px)`;
  document.getElementById("now").textContent = words;
  document.getElementById("clock").textContent = time;
  stage.setAttribute("aria-valuemax", data.duration_s);
  stage.setAttribute("aria-valuenow", Math.floor(now));
  stage.setAttribute("aria-valuetext", `${time}, ${words}`);
  const marked = some.map((one) => buttons[data.segments.indexOf(one)]);
  current.filter((button) => !marked.includes(button)).forEach((button) => button.removeAttribute("aria-current"));
  for (const button of marked.filter((button) => !current.includes(button))) {
    button.setAttribute("aria-current", "true");
    if (!list.contains(document.activeElement)) list.scrollTop = button.offsetTop - list.clientHeight / 2;
  }
  current = marked;
}

function look(from, span) {
  span = clamp(span, SHORTEST_S, data.duration_s);
  view.from = clamp(from, 0, data.duration_s - span);
  view.to = view.from + span;
  redraw();
}

function redraw() {
  tip.hidden = true;
  draw();
  show();
}

const zoom = (times) => look(now - (now - view.from) * times, (view.to - view.from) * times);

function goTo(time) {
  now = clamp(time, 0, data.duration_s);
  const span = view.to - view.from;
  now < view.from || now > view.to ? look(now - span / 10, span) : show();
}

function seek(time) {
  goTo(time);
  if (audio.readyState) audio.currentTime = now;
}

function hint(x) {
  const time = timeAt(x), step = Math.floor(time / data.step_s), some = said(heardAt(time));
  tip.style.top = `${data.tiers.length * TIER}px`;
  tip.hidden = x < left() || time >= data.duration_s;
  if (tip.hidden) return;
  const make = (tag, words, parent) => {
    const part = parent.appendChild(document.createElement(tag));
    part.textContent = words;
    return part;
  };
  tip.replaceChildren();
  make("b", clock(time, 1), tip);
  make("b", some, tip);
  for (const { branches } of heardAt(time).filter(({ branches }) => branches)) make("small", branches, tip);
  for (const { name, colour, percent } of data.emotions.filter(({ percent }) => percent[step] !== null)) {
    const row = make("div", "", tip);
    make("span", name, row);
    Object.assign(make("i", "", row).style, { background: colour, width: `${percent[step]}%` });
    make("span", `${percent[step]} %`, row);
  }
  const pitch = data.pitch_hz[step] === null ? "no pitch" : `${data.pitch_hz[step]} Hz`;
  make("span", `${pitch}, ${signed(data.loudness_db[step])} dB`, tip);
  tip.style.left = `${x + 16 + tip.offsetWidth > view.width ? Math.max(x - 16 - tip.offsetWidth, 0) : x + 16}px`;
}

// --- The sound. ---

function toggle() {
  if (audio.paused) audio.play().catch(complain);
  else audio.pause();
}

function complain() {
  message.textContent = data.beside
    ? `The sound is not here: put “${data.beside}” beside this page to hear it.`
    : `This browser cannot play the sound${sound ? " (Ogg Vorbis)" : ""}.`;
}

function follow() {
  goTo(audio.currentTime);
  if (!audio.paused) requestAnimationFrame(follow);
}

function showPlaying() {
  play.textContent = audio.paused ? "▶" : "❚❚";
  play.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
  if (audio.paused) return;
  tip.hidden = true;
  follow();
}

const sound = document.getElementById("sound");
if (sound) {
  const letters = atob(sound.textContent), bytes = new Uint8Array(letters.length);
  for (let place = 0; place < letters.length; place++) bytes[place] = letters.charCodeAt(place);
  audio.src = URL.createObjectURL(new Blob([bytes], { type: "audio/ogg" }));
}
audio.addEventListener("error", complain);
audio.addEventListener("loadedmetadata", () => (audio.currentTime = now));
for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, showPlaying);

// --- Hand and keys. ---

const placed = (event) => event.clientX - stage.getBoundingClientRect().left;
stage.addEventListener("pointerdown", (event) => {
  dragged = event.pointerType === "mouse";
  if (dragged) stage.setPointerCapture(event.pointerId);
  seek(timeAt(placed(event)));
  hint(placed(event));
});
stage.addEventListener("pointermove", (event) => {
  hint(placed(event));
  if (dragged) seek(timeAt(placed(event)));
});
for (const event of ["pointerup", "pointercancel"]) stage.addEventListener(event, () => (dragged = false));
stage.addEventListener("pointerleave", (event) => (tip.hidden = event.pointerType === "mouse"));
document.addEventListener("pointerdown", (event) => (tip.hidden ||= !stage.contains(event.target)));
overview.addEventListener("click", (event) => seek((event.offsetX / overview.clientWidth) * data.duration_s));
buttons.forEach((button, place) => button.addEventListener("click", () => seek(data.segments[place].start)));
play.addEventListener("click", toggle);
document.getElementById("closer").addEventListener("click", () => zoom(1 / 2));
document.getElementById("wider").addEventListener("click", () => zoom(2));

const KEYS = {
  " ": toggle,
  ArrowLeft: () => seek(now - 1),
  ArrowRight: () => seek(now + 1),
  "+": () => zoom(1 / 2),
  "-": () => zoom(2),
};
const SLIDER_KEYS = { // elsewhere these scroll
  ArrowDown: KEYS.ArrowLeft,
  ArrowUp: KEYS.ArrowRight,
  PageDown: () => seek(now - 10),
  PageUp: () => seek(now + 10),
  Home: () => seek(0),
  End: () => seek(data.duration_s),
};
document.addEventListener("keydown", (event) => {
  const pressed = KEYS[event.key] ?? (event.target === stage && SLIDER_KEYS[event.key]);
  if (!pressed || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.closest("button")) return; // which it presses
  event.preventDefault();
  pressed();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(redraw).observe(stage);
