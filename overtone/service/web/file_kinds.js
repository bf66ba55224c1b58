// What a chosen file is, by its suffix; of the files without sound, what to do with them instead.

const DOCUMENT = "a document, not a recording";
const PICTURE = "a picture, not a recording";
const ARCHIVE = "an archive: unpack it, and add the recordings in it";
const NO_SOUND = {
  ...Object.fromEntries(["pdf", "doc", "docx", "odt", "rtf", "md", "htm", "html", "ppt", "pptx"].map((key) => [key, DOCUMENT])),
  ...Object.fromEntries(["png", "jpg", "jpeg", "gif", "svg", "webp", "heic"].map((key) => [key, PICTURE])),
  ...Object.fromEntries(["zip", "rar", "7z", "tar", "gz"].map((key) => [key, ARCHIVE])),
  ...Object.fromEntries(["xls", "xlsx", "ods", "parquet"].map((key) => [key, "a table: overtone batch reads lists of recordings"])),
};
const TURNS = "speaker turns, which need their recording: add it, too";
// Suffixes that files of other kinds have, too.
const AMBIGUOUS = {
  csv: `${TURNS}. For a table that lists recordings, use overtone batch`,
  tsv: `${TURNS}. For a table that lists recordings, use overtone batch`,
  txt: `text without sound. If it is a label track of Audacity: ${TURNS}`,
};

const adviceFor = (advice, key) => (Object.hasOwn(advice, key) ? advice[key] : null);
const suffix = (name) => /\.([^.]*)$/.exec(name)?.[1].toLowerCase() ?? "";

// Splits files into those with speaker turns, those without sound, and the others, which the service tries to decode.
export function splitByKind(files, turnSuffixes) {
  const isTurns = ({ name }) => turnSuffixes.some((known) => known.toLowerCase() === `.${suffix(name)}`);
  const turns = files.filter(isTurns);
  const silent = files.filter((file) => adviceFor(NO_SOUND, suffix(file.name)));
  return { turns, silent, audio: files.filter((file) => !turns.includes(file) && !silent.includes(file)) };
}

export const adviceOf = ({ name }) =>
  `${name}: ${adviceFor(NO_SOUND, suffix(name)) ?? adviceFor(AMBIGUOUS, suffix(name)) ?? TURNS}.`;
