// The table of the speakers, and what the page says of the whole recording, for corrected segments: as
// `overtone/speaker_summary.py` computes it and `page_speakers.py` writes it, without the estimates of the true shares.

const speakerTable = (() => {
  const { make } = segmentList;
  const section = document.getElementById("speakers"), spoken = document.getElementById("spoken");
  const disagreements = document.getElementById("disagreements");
  const elements = [section, spoken, disagreements], written = elements.map((element) => [...element.childNodes]);
  const COLUMNS = ["speaker", "speech", "sure emotions, by share of that time"];

  // The model predicted an emotion, or a person named one.
  const isSpeech = ({ emotion, model_emotion }) => emotion !== null || model_emotion !== "";
  // Of the times that the files have: whole milliseconds.
  const durationOf = ({ start, end }) => editing.roundMs(end) - editing.roundMs(start);

  // Returns the duration of the speech in some segments, in seconds; that of each sure emotion, by its place among those
  // of the page; and that of the rest.
  function summarise(segments) {
    const sureS = new Map();
    let uncertainS = 0;
    for (const segment of segments.filter(isSpeech)) {
      const { emotion, uncertain } = segment;
      if (uncertain || emotion === null) uncertainS += durationOf(segment);
      else sureS.set(emotion, (sureS.get(emotion) ?? 0) + durationOf(segment));
    }
    return { speechS: [...sureS.values()].reduce((sum, time) => sum + time, uncertainS), sureS, uncertainS };
  }

  // Returns a share in whole per cent; a half becomes the even number, as in Python.
  function formatPercent(share) {
    const percent = 100 * share, nearest = Math.round(percent);
    return `${percent % 1 === 0.5 ? nearest - (nearest % 2) : nearest} %`;
  }

  function makeRow(name, { speechS, sureS, uncertainS }) {
    const nameOf = (emotion) => data.values[emotion];
    const sure = [...sureS].sort(([a, timeA], [b, timeB]) => timeB - timeA || (nameOf(a) < nameOf(b) ? 1 : -1));
    const shares = sure.map(([emotion, time]) => makeShare(data.emotions[emotion], formatPercent(time / speechS)));
    if (uncertainS) shares.push(make("span", { class: "share" }, `uncertain ${formatPercent(uncertainS / speechS)}`));
    const spaced = shares.flatMap((share) => [share, " "]).slice(0, -1);
    return make("tr", {}, make("td", {}, name), make("td", {}, formatClock(speechS)), make("td", {}, ...spaced));
  }

  function makeShare({ name, colour }, percent) {
    const swatch = make("span", { class: "swatch" });
    swatch.style.backgroundColor = colour;
    return make("span", { class: "share" }, swatch, " ", make("bdi", {}, name), ` ${percent}`);
  }

  // Shows the segments of a corrected timeline.
  function show(segments) {
    const rows = data.speakers.map((name, place) => [name, segments.filter(({ speaker_place }) => speaker_place === place)]);
    const summaries = rows.map(([name, own]) => [name || "(unknown)", summarise(own)]);
    const shown = summaries.filter(([, { speechS }]) => speechS || data.shows_silent), all = summarise(segments);
    if (shown.length > 1) shown.push(["all", all]);
    const head = make("thead", {}, make("tr", {}, ...COLUMNS.map((title) => make("th", {}, title))));
    const body = make("tbody", {}, ...shown.map((row) => makeRow(...row)));
    const note = `These are the shares of the corrected segments. No estimates of the true shares: ${data.no_estimates}.`;
    const content = [make("h2", {}, "Speakers"), make("table", {}, head, body), make("p", { class: "help" }, note)];
    section.replaceChildren(...(shown.length ? content : []));
    spoken.textContent = `speech ${formatClock(all.speechS)}`;
    const speech = segments.filter(isSpeech), differ = speech.filter(({ branches_disagree }) => branches_disagree);
    const text = ` · its parts disagree on ${differ.length} of ${speech.length} segments`;
    disagreements.textContent = differ.length ? text : "";
  }

  // Shows what was written with the page: the shares, with the estimates.
  function restore() {
    elements.forEach((element, k) => element.replaceChildren(...written[k]));
  }

  return { show, restore };
})();
