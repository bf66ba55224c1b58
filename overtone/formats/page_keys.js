// The list of the keys with which segments are corrected.

const CORRECTION_KEYS = [
  ["n, p", "select the next or the previous segment, and play it"],
  ["u", "select the next uncertain segment, and play it"],
  ["r", "play the selected segment again"],
  ["1 to 9", "label it with the emotion of this number; the same emotion confirms it"],
  ["o", "label it with another label"],
  ["w", "mark it as wrong: the emotion is unknown"],
  ["s", "split it at the position"],
  ["m", "merge it with the next one"],
  ["a, d", "move its start 0.1 s earlier or later; with Shift 0.01 s"],
  ["f, g", "move its end 0.1 s earlier or later; with Shift 0.01 s"],
  ["Ctrl Z, Ctrl Shift Z", "undo, redo"],
  ["?", "show or hide this list"],
];

// Fills a `dl` with the keys, and with the emotions that have a number.
function showKeys(list, numbered) {
  const add = (tag, ...children) => list.append(segmentList.make(tag, {}, ...children));
  for (const [key, text] of CORRECTION_KEYS) {
    add("dt", segmentList.make("kbd", {}, key));
    add("dd", text);
  }
  add("dt", "Emotions");
  add("dd", numbered.map(({ name }, place) => `${place + 1} ${name}`).join(", "));
  add("dd", "The letters and numbers work while “Correct” is pressed.");
}
