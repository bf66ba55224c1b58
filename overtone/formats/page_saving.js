// Keeps corrections in the storage of the browser, and writes them to files. The page of the service keeps its own.

const saving = (() => {
  const element = document.getElementById("timeline"), key = `overtone-corrections-${element.dataset.fingerprint}`;
  const CSV_COLUMNS = [
    ...["path", "start_s", "end_s", "speaker", "text", "speech", "emotion", "decided_by", "model_emotion"],
    ...["confidence", "uncertain", "speech_s", "arousal", "valence", "reference_clips"],
  ];
  const DIGITS = { start_s: 3, end_s: 3, confidence: 6, speech_s: 3, arousal: 3, valence: 3 };
  let timeline = null; // the JSON of the timeline, once it is needed

  // Returns the stored corrections; null if there are none.
  function load() {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  }

  // Stores corrections; returns false if the browser blocks its storage, or has no space.
  function store(corrections) {
    try {
      if (corrections.segments.length) localStorage.setItem(key, JSON.stringify(corrections));
      else localStorage.removeItem(key);
      return true;
    } catch {
      return false;
    }
  }

  // Calls `action` when another tab with this page has stored corrections, or removed them.
  function onChange(action) {
    addEventListener("storage", (event) => event.key === key && action(load() ?? { segments: [] }));
  }

  async function readTimeline() {
    const binary = atob(element.textContent), bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  // Returns the JSON of the corrected timeline, as `overtone convert` reads it; null instead of segments if they are not
  // changed. What follows from the segments, such as the summary of each speaker, is not in it.
  async function correctedTimeline(segments) {
    timeline ??= await readTimeline();
    if (!segments) return timeline;
    const { speakers, summary, agreement, ...recording } = { ...timeline, no_estimates: data.no_estimates };
    const rows = segments.map((segment) => correctedRow(segment));
    return { ...recording, segments: recording.turns_given || recording.channels ? rows : withPauses(rows) };
  }

  function correctedRow({ start, end, index, texts, name, decided_by }) {
    const original = timeline.segments[index];
    const text = texts.map((place) => timeline.segments[place].text).filter(Boolean).join(" ");
    const times = { start_s: editing.roundMs(start), end_s: editing.roundMs(end) };
    if (decided_by === "model") return { ...original, ...times, text };
    const model_emotion = (original.decided_by === "person" ? original.model_emotion : original.emotion) ?? null;
    const speech = original.probabilities !== undefined || name !== null;
    return { ...original, ...times, text, speech, decided_by, emotion: name, model_emotion };
  }

  // A timeline without turns contains the pauses between the segments, too.
  function withPauses(rows) {
    const pause = (start_s, end_s) =>
      start_s < end_s ? [{ start_s, end_s, speaker: "", text: "", speech: false, decided_by: "model" }] : [];
    const ends = [0, ...rows.map(({ end_s }) => end_s)];
    const filled = rows.flatMap((row, k) => [...pause(ends[k], row.start_s), row]);
    return [...filled, ...pause(ends.at(-1), timeline.duration_s)];
  }

  // Returns corrected segments as the CSV of `overtone timeline`.
  function toCsv({ path, emotions, segments }) {
    const cell = (value, digits) => {
      if (typeof value === "number" && digits) return value.toFixed(digits);
      const text = String(value ?? "");
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const toLine = (row) => {
      const full = { ...row, path, model_emotion: row.decided_by === "person" ? row.model_emotion : row.emotion };
      const fixed = CSV_COLUMNS.map((name) => cell(full[name], DIGITS[name]));
      return [...fixed, ...emotions.map((name) => cell(row.probabilities?.[name], 6))].join(",");
    };
    const header = [...CSV_COLUMNS, ...emotions.map((name) => `p_${name}`)].map((name) => cell(name)).join(",");
    return [header, ...segments.map(toLine), ""].join("\n");
  }

  // Saves the corrected timeline to a file: "json" or "csv"; `segments` as above.
  async function download(segments, format) {
    const corrected = await correctedTimeline(segments), link = document.createElement("a");
    const text = format === "csv" ? toCsv(corrected) : `${JSON.stringify(corrected)}\n`;
    const blob = new Blob([text], { type: format === "csv" ? "text/csv" : "application/json" });
    link.href = URL.createObjectURL(blob);
    link.download = `${corrected.path.replace(/\.[^.]*$/, "") || "timeline"}.corrected.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers start the download late
  }

  return { load, store, onChange, download };
})();
