// The interface of corrections: a toolbar, keys, the edges of the selected segment, and the list of segments.

(() => {
  const { make } = segmentList;
  const labelled = data.segments.map((segment, place) => ({
    ...segment,
    index: data.indices[place],
    texts: [data.indices[place]],
    name: data.values[segment.emotion] ?? null,
    speaker_place: data.speaker_places[place],
  }));
  segmentList.start(labelled);
  const originals = (data.segments = labelled), byIndex = new Map(labelled.map((segment) => [segment.index, segment]));
  const STEP_S = 0.1, FINE_STEP_S = 0.01, NUMBERED = 9, OTHER = "other", SIDES = ["start", "end"];
  const CONTROL = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u; // the labels that the files of Overtone do not allow
  const INVALID = "A label needs characters that can be seen.";
  const history = new editing.History(labelled);
  let selected = null, isActive = false, playUntil = null, isDownloaded = true, focusBefore = null;

  const button = (text, action, attributes = {}) => {
    const element = make("button", { type: "button", ...attributes }, text);
    element.addEventListener("click", action);
    return element;
  };

  // --- The toolbar. ---

  const keys = make("dl", { id: "keys", hidden: "" });
  const status = make("span", { id: "correction-status", role: "status" });
  const toggle = button("Correct", () => setActive(!isActive), { id: "correct", "aria-pressed": "false" });
  toggle.disabled = Boolean(data.service); // until the stored corrections are shown: a change would replace them
  const keysButton = button("Keys", toggleKeys, { "aria-expanded": "false", "aria-controls": "keys" });
  const undo = button("Undo", () => move(-1), { disabled: "" }), redo = button("Redo", () => move(1), { disabled: "" });
  const labels = make("select", { "aria-label": "Emotion of the selected segment" });
  const otherLabel = make("input", { maxlength: 100, autocomplete: "off", "aria-label": "Another label" });
  const other = make("form", { hidden: "" }, otherLabel, make("button", {}, "Use label"));
  const edges = SIDES.map((side) => make("input", { type: "number", step: "0.01", min: "0" }));
  const selection = make("p", { id: "selected", role: "status" });
  const tools = make("div", { id: "correction-tools", hidden: "" }, selection,
    make("div", { class: "tools" },
      labels, other,
      button("Wrong", () => edit((...state) => editing.relabel(...state, null))),
      button("Split", split), button("Merge with next", () => edit(editing.merge)),
      make("label", {}, "Start ", edges[0]), make("label", {}, "End ", edges[1]),
    ),
  );
  const files = data.service ? [] : ["json", "csv"].map((format) =>
    button(`Corrected ${format.toUpperCase()}`, () => download(format), { "data-format": format }));
  const bar = make("div", { class: "tools" }, toggle, keysButton, undo, redo, ...files, status);
  const panel = make("section", { id: "corrections", "aria-label": "Corrections" }, bar, tools, keys);
  stage.after(panel);
  const frame = make("div", { id: "selection", hidden: "" }, ...SIDES.map((side) => make("i", { class: side })));
  stage.append(frame);

  labels.addEventListener("change", ({ target: { value } }) =>
    value === OTHER ? askForLabel() : relabel(data.values[value]));
  other.addEventListener("submit", (event) => (event.preventDefault(), useOtherLabel()));
  otherLabel.addEventListener("keydown", (event) => event.key === "Escape" && closeOther());
  otherLabel.addEventListener("input", () => otherLabel.setCustomValidity(""));
  edges.forEach((input, k) => input.addEventListener("change", () => setEdge(SIDES[k], input.valueAsNumber)));
  list.addEventListener("click", ({ target }) => {
    if (isActive) select(data.segments[buttons.indexOf(target.closest("button"))]);
  });

  function setActive(active) {
    isActive = active;
    toggle.setAttribute("aria-pressed", active);
    tools.hidden = !active;
    if (active && !selected) select(segmentsAt(now)[0] ?? data.segments[0]);
    showSelection();
  }

  function toggleKeys() {
    keys.hidden = !keys.hidden;
    keysButton.setAttribute("aria-expanded", !keys.hidden);
  }

  // --- Selection and playback. ---

  function select(segment) {
    if (!segment) return;
    segmentList.itemOf(selected)?.classList.remove("selected");
    selected = segment;
    showSelection();
    if (!list.contains(document.activeElement)) segmentList.scrollTo(segment);
  }

  function showSelection() {
    frame.hidden = !isActive || !selected || selected.end < view.from || selected.start > view.to;
    segmentList.itemOf(selected)?.classList.toggle("selected", isActive);
    if (!selected || !isActive) return;
    const left = Math.max(xOf(selected.start), leftMargin()), right = Math.min(xOf(selected.end), view.width);
    Object.assign(frame.style, { left: `${left}px`, width: `${Math.max(right - left, 2)}px` });
    Object.assign(frame.style, { top: `${selected.tier * TIER}px`, height: `${TIER - 3}px` });
    const times = `${formatClock(selected.start, 2)} – ${formatClock(selected.end, 2)}`;
    const place = data.segments.indexOf(selected) + 1;
    const text = `Segment ${place} of ${data.segments.length}, ${times}: ${describe([selected])}`;
    if (selection.textContent !== text) selection.textContent = text;
    showLabels();
    edges[0].value = selected.start.toFixed(2);
    edges[1].value = selected.end.toFixed(2);
  }

  function showLabels() {
    if (labels.children.length !== data.emotions.length + 2) {
      const option = ({ name }, k) => make("option", { value: k }, k < NUMBERED ? `${k + 1} ${name}` : name);
      labels.replaceChildren(make("option", { value: "", disabled: "" }, "unknown"), ...data.emotions.map(option));
      labels.append(make("option", { value: OTHER }, "another label …"));
    }
    labels.value = selected.emotion ?? "";
  }

  function step(direction, isWanted = () => true) {
    const wanted = data.segments.filter((segment) => segment === selected || isWanted(segment));
    const next = wanted[wanted.indexOf(selected) + direction];
    if (next) select(next);
    playSelected();
  }

  function playSelected() {
    if (!selected) return;
    seek(selected.start);
    playUntil = selected.end;
    audio.play().then(stopAtEnd, (error) => error.name !== "AbortError" && showAudioError());
  }

  function stopAtEnd() {
    if (playUntil === null) return;
    if (audio.paused || audio.currentTime < selected.start - STEP_S) playUntil = null; // something else was played
    else if (audio.currentTime >= playUntil) [playUntil] = [null, audio.pause(), seek(playUntil)]; // a frame later
    else requestAnimationFrame(stopAtEnd);
  }

  // --- Operations. ---

  // Applies an operation of `editing` to the selected segment.
  function edit(operation) {
    const state = selected && operation(data.segments, selected);
    if (!state) return;
    const kept = new Set(data.segments), before = selected;
    for (const segment of state.segments) if (!kept.has(segment)) Object.assign(segment, display(segment));
    history.push(state, before);
    show(state);
    changed();
  }

  const relabel = (name) => edit((...state) => editing.relabel(...state, name));
  const moveEdge = (side, time) => edit((...state) => editing.moveEdge(...state, side, time, data.duration_s));

  function split() {
    edit((...state) => editing.split(...state, now));
  }

  function setEdge(side, time) {
    if (Number.isFinite(time)) moveEdge(side, time);
    showSelection(); // a time that is not possible is replaced
  }

  function move(direction) {
    const state = history.move(direction);
    if (!state) return;
    show(state);
    if (selected.end < view.from || selected.start > view.to) seek(selected.start);
    changed();
  }

  // What the page shows of a segment.
  function display({ index, texts, name, decided_by }) {
    const original = byIndex.get(index), emotion = name === null ? null : emotionIndex(name);
    const text = texts.map((place) => byIndex.get(place).text).filter(Boolean).join(" ");
    const { model_emotion, branches, branches_disagree } = original, shown = { emotion, text, model_emotion, branches };
    if (decided_by === "model") return { ...shown, branches_disagree, label: original.label, uncertain: original.uncertain };
    const wrong = `wrong (${model_emotion || "no speech"})`;
    const label = name === null ? wrong : `${data.emotions[emotion].name} (person)`;
    return { ...shown, branches_disagree, label, uncertain: false };
  }

  // Returns the place of a label, which gets a colour if it is new.
  function emotionIndex(name) {
    if (!data.values.includes(name)) {
      const own = data.values.length % data.spare_colours.length;
      data.emotions.push({ name, ...data.spare_colours[own] });
      data.values.push(name);
    }
    return data.values.indexOf(name);
  }

  function askForLabel() {
    focusBefore = document.activeElement;
    other.hidden = false;
    otherLabel.value = "";
    otherLabel.setCustomValidity("");
    otherLabel.focus();
  }

  // Closes the field, and moves the focus back to where it was.
  function closeOther() {
    other.hidden = true;
    showLabels();
    if (document.contains(focusBefore)) focusBefore.focus();
  }

  function useOtherLabel() {
    const name = otherLabel.value.trim().split(/\s+/).join(" ").normalize("NFC");
    otherLabel.setCustomValidity(!name || CONTROL.test(name) ? INVALID : "");
    if (!otherLabel.reportValidity()) return;
    closeOther();
    relabel(knownLabel(name));
  }

  // Returns a label as this page has it, in whatever case it is given.
  const knownLabel = (name) => data.values.find((value) => value.toLowerCase() === name.toLowerCase()) ?? name;

  function show({ segments, selected: next }) {
    const before = data.segments;
    data.segments = segments;
    segmentList.update(before, segments);
    select(segments.includes(next) ? next : segments.find(({ end }) => end > now) ?? segments[0]);
    [undo.disabled, redo.disabled] = [!history.canUndo, !history.canRedo];
    if (isChanged()) speakerTable.show(segments);
    else speakerTable.restore();
    redraw();
  }

  // --- Keeping. ---

  const isChanged = () => history.current.segments !== originals;

  function changed() {
    const corrections = editing.toDocument(data.segments, originals);
    isDownloaded = !isChanged();
    if (data.service) document.dispatchEvent(new CustomEvent("corrected", { detail: JSON.stringify(corrections) }));
    else showStatus(saving.store(corrections) ? (isChanged() ? "Kept in this browser" : "") :
      "This browser does not keep corrections: download them before you close the page.");
  }

  const showStatus = (text, choices = []) => // with buttons, given as pairs of a name and an action
    status.replaceChildren(text, ...choices.flatMap((choice) => [" ", button(...choice)]));

  async function download(format) {
    try {
      await saving.download(isChanged() ? data.segments : null, format);
      isDownloaded = true;
    } catch {
      showStatus("This browser cannot write the file: it needs a version from 2023 or newer.");
    }
  }

  // Shows stored corrections; returns whether they fit the timeline.
  function restore(stored) {
    const segments = stored && editing.fromDocument(stored, originals, data.duration_s);
    if (!segments || segments === data.segments) return Boolean(segments);
    for (const segment of segments === originals ? [] : segments) {
      if (segment.name !== null) segment.name = knownLabel(segment.name);
      Object.assign(segment, display(segment));
    }
    history.push({ segments, selected: segments[0] }, selected);
    show({ segments, selected: null });
    return true;
  }

  addEventListener("beforeunload", (event) => {
    if (!data.service && !isDownloaded) event.preventDefault();
  });
  const restoreText = (text) => {
    toggle.disabled = !restore(JSON.parse(text));
    if (toggle.disabled) [undo.disabled, redo.disabled] = [true, true, setActive(false)]; // they would be replaced
    return !toggle.disabled;
  };
  const restoreKept = (kept) => { // else the next change would replace the corrections of another tab
    if (restore(kept)) [isDownloaded] = [!isChanged(), showStatus(isChanged() ? "Kept in this browser" : "")];
  };
  if (data.service) window.overtoneCorrections = { restore: restoreText, showStatus };
  else [restoreKept(saving.load()), saving.onChange(restoreKept)];

  dragEdges(frame, () => isActive && selected, select, moveEdge, showSelection);

  // --- Keys. ---

  const nudge = (side, sign) => (event) =>
    selected && moveEdge(side, selected[side] + sign * (event.shiftKey ? FINE_STEP_S : STEP_S));
  const COMMANDS = {
    n: () => step(1), p: () => step(-1), u: () => step(1, ({ uncertain }) => uncertain), r: playSelected,
    o: askForLabel, w: () => relabel(null), s: split, m: () => edit(editing.merge),
    a: nudge("start", -1), d: nudge("start", 1), f: nudge("end", -1), g: nudge("end", 1),
  };
  showKeys(keys, data.emotions.slice(0, NUMBERED));

  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase(), isCommand = event.ctrlKey || event.metaKey;
    if (event.altKey || event.target.closest("input, select, textarea")) return;
    let action = null;
    if (isCommand && isActive && "zy".includes(key)) action = () => move(key === "y" || event.shiftKey ? 1 : -1);
    else if (!isCommand && key === "?") action = toggleKeys;
    else if (!isCommand && isActive && Object.hasOwn(COMMANDS, key)) action = COMMANDS[key];
    else if (!isCommand && isActive && key >= "1" && Number(key) <= Math.min(NUMBERED, data.emotions.length))
      action = () => relabel(data.values[Number(key) - 1]);
    if (!action) return;
    event.preventDefault();
    action(event);
  });
  stage.addEventListener("drawn", showSelection);
})();
