// Which file of speaker turns belongs to which recording, by their names and, in RTTM, by the names in the file.

const MAX_RTTM_BYTES = 4e6; // as the service
const AUDIO_SUFFIX = /\.(wav|flac|mp3|ogg|oga|opus|m4a|mp4|aac|wma|amr|webm|mov|mkv|aiff?|caf)$/i;
const LANGUAGE = /\.[a-z]{2}(-[a-z]{2,4})?$/i; // of subtitles, such as talk.en.vtt
const SAYS_TURNS =
  /[\s._-]+(speaker[\s._-]*)?(turns?|speakers?|diari[sz](ation|ed)?|rttm|segments?|transcripts?|transcription|subtitles?|captions?|labels?|annotations?|words)$/i;

const stem = (name) => name.replace(/^.*[\\/]/, "").replace(/\.[^.]*$/, "");

// What remains of a name without everything that distinguishes a file of turns from its recording.
function normalised(name) {
  let text = stem(name).normalize("NFC");
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(AUDIO_SUFFIX, "").replace(LANGUAGE, "").replace(SAYS_TURNS, "");
  }
  return text.toLowerCase().replace(/[\s_-]+/g, " ").trim();
}

// The names of the recordings that an RTTM file has turns of; none for another format, or if it cannot be read.
export async function recordingsIn(file) {
  if (!/\.rttm$/i.test(file.name) || file.size > MAX_RTTM_BYTES) return [];
  const text = await file.text().catch(() => "");
  // Names may have blanks: the channel and two times follow, and two unknown fields, or one word before them.
  const line = /^SPEAKER[ \t]+(?:(\S.*?)[ \t]+\S+[ \t]+-?[\d.]+[ \t]+-?[\d.]+[ \t]+<NA>[ \t]+<NA>|(\S+))/gm;
  return [...new Set([...text.matchAll(line)].map(([, long, short]) => long ?? short))];
}

// Returns what is `pending` with more files: a later file of the same name replaces an earlier one.
export function addPending(pending, audio, turns) {
  const merge = (before, added, nameOf) => {
    const names = added.map(nameOf);
    return [...before.filter((one) => !names.includes(nameOf(one))), ...added];
  };
  const allAudio = merge(pending?.audio ?? [], audio, ({ name }) => name);
  const allTurns = merge(pending?.turns ?? [], turns, ({ file }) => file.name);
  return { audio: allAudio, turns: allTurns, chosen: matchTurns(allAudio, allTurns) };
}

// Returns the file of turns of each recording, or null. Each `turns` has a `file` and the `recordings` in it.
export function matchTurns(recordings, turns) {
  const named = (candidate, test) => candidate.recordings.some(test);
  const rules = [
    (recording, candidate) => stem(candidate.file.name) === stem(recording.name),
    (recording, candidate) => candidate.recordings.length > 1 && named(candidate, (name) => isName(name, recording.name)),
    (recording, candidate) => normalised(candidate.file.name) === normalised(recording.name),
    (recording, candidate) => named(candidate, (name) => isName(name, recording.name)),
    // The only ones, unless the file has turns of several other recordings.
    (_, candidate) => recordings.length === 1 && turns.length === 1 && candidate.recordings.length < 2,
  ];
  return recordings.map((recording) => {
    for (const rule of rules) {
      const found = turns.find((candidate) => rule(recording, candidate));
      if (found) return found;
    }
    return null;
  });
}

function isName(name, recording) {
  const base = name.replace(/^.*[\\/]/, "");
  return base === recording || base === stem(recording) || stem(base) === stem(recording);
}
