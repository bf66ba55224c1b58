// The list of segments, and the edges of the selected one, while they are corrected.

const segmentList = (() => {
  const items = new WeakMap(); // the entry of each segment

  // Takes the entries that are in the page for the segments with which it was written.
  const start = (segments) => segments.forEach((segment, place) => items.set(segment, list.children[place]));
  const itemOf = (segment) => items.get(segment);

  // Creates an element; its attributes and texts cannot contain markup.
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function scrollTo(segment) {
    list.scrollTop = items.get(segment).offsetTop - list.clientHeight / 2;
  }

  // Exchanges the entries of the list between the first and the last segment that differ. The focus stays in its place.
  function update(before, after) {
    const shorter = Math.min(before.length, after.length);
    let first = 0, same = 0;
    while (first < shorter && before[first] === after[first]) first++;
    while (same < shorter - first && before.at(-1 - same) === after.at(-1 - same)) same++;
    const removed = before.slice(first, before.length - same), added = after.slice(first, after.length - same);
    const focused = removed.findIndex((segment) => items.get(segment).contains(document.activeElement));
    const next = items.get(after[after.length - same]) ?? null, top = list.scrollTop;
    for (const segment of removed) items.get(segment).remove();
    for (const segment of added) {
      if (!items.has(segment)) items.set(segment, makeItem(segment));
      list.insertBefore(items.get(segment), next);
    }
    buttons = [...list.querySelectorAll("button")];
    list.scrollTop = top;
    if (focused >= 0) items.get(added[Math.min(focused, added.length - 1)]).firstChild.focus({ preventScroll: true });
  }

  function makeItem({ start, end, emotion, uncertain, label, speaker, branches, text }) {
    const swatch = make("span", { class: `swatch${uncertain ? " uncertain" : ""}` });
    if (emotion !== null) swatch.style.backgroundColor = data.emotions[emotion].colour;
    if (emotion !== null) swatch.style.setProperty("--hatch", data.emotions[emotion].ink);
    const known = [["speaker", speaker], ["branches", branches], ["text", text]].filter(([, content]) => content);
    const direction = (name) => (name === "text" ? { dir: "auto" } : {});
    return make("li", {}, make("button", { type: "button" },
      make("span", { class: "time" }, `${formatClock(start, 1)} – ${formatClock(end, 1)}`),
      make("span", { class: "label" }, swatch, ` ${label}`),
      ...known.map(([name, content]) => make("span", { class: name, ...direction(name) }, content)),
    ));
  }

  return { make, start, itemOf, scrollTo, update };
})();

// Lets the mouse drag the edges of the selected segment: the children of `frame`, whose classes are "start" and "end".
// `current` returns the segment, or a false value while there is nothing to drag.
function dragEdges(frame, current, select, moveEdge, reset) {
  let side = null; // while it is dragged
  const timeOf = (event) => timeAt(clamp(stageX(event), leftMargin(), view.width));
  stage.addEventListener("pointerdown", (event) => {
    if (!current()) return;
    side = frame.contains(event.target) ? event.target.className : null;
    const row = Math.floor((event.clientY - stage.getBoundingClientRect().top) / TIER);
    if (!side) return select(segmentsAt(timeOf(event)).find(({ tier }) => tier === row || row >= data.tiers.length));
    event.stopImmediatePropagation(); // it does not seek
    stage.setPointerCapture(event.pointerId);
  }, { capture: true });
  stage.addEventListener("pointermove", (event) => {
    if (!side) return;
    event.stopImmediatePropagation();
    const x = xOf(timeOf(event)), edge = xOf(side === "start" ? current().end : current().start);
    Object.assign(frame.style, { left: `${Math.min(x, edge)}px`, width: `${Math.abs(x - edge)}px` });
  }, { capture: true });
  for (const type of ["pointerup", "pointercancel"]) stage.addEventListener(type, (event) => {
    if (side && type === "pointerup") moveEdge(side, timeOf(event));
    if (side) reset();
    side = null;
  });
}
