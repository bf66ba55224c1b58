// Corrections of segments as pure functions: each returns new segments; those that do not change stay the same objects.
//
// A segment has `start` and `end` in seconds, its `tier`, `index` (the segment of the model whose prediction it has),
// `name` (its emotion; null if it is unknown or there is no speech), `decided_by` ("model" or "person"), and `texts`
// (the segments of the model whose words it has). An operation returns { segments, selected }, where `selected` is the
// segment to go on with; null if it is impossible.

const editing = (() => {
  const MIN_S = 0.01, TOUCHING_S = 0.001;
  const roundMs = (time) => Math.round(time * 1000) / 1000;

  function exchange(segments, removed, added) {
    const kept = segments.filter((segment) => !removed.includes(segment));
    const sorted = [...kept, ...added].sort((one, other) => one.start - other.start || one.tier - other.tier);
    return { segments: sorted, selected: added[0] };
  }

  // `name` is null for a wrong prediction whose emotion is unknown.
  const relabel = (segments, segment, name) =>
    exchange(segments, [segment], [{ ...segment, name, decided_by: "person" }]);

  // The words of the segment stay in the first part: where in time they are is unknown.
  function split(segments, segment, time) {
    const at = roundMs(time);
    if (at < segment.start + MIN_S || at > segment.end - MIN_S) return null;
    return exchange(segments, [segment], [{ ...segment, end: at }, { ...segment, start: at, texts: [] }]);
  }

  function neighbour(segments, segment, step) {
    const inTier = segments.filter(({ tier }) => tier === segment.tier);
    return inTier[inTier.indexOf(segment) + step];
  }

  // Merges a segment with the next one of its tier. The emotion is that of the first one; unless both agree, a person
  // has decided it. The prediction is that of the longer one.
  function merge(segments, segment) {
    const next = neighbour(segments, segment, 1);
    if (!next) return null;
    const isSilent = segment.name === null && segment.decided_by === "model";
    const named = isSilent ? next : segment;
    const longer = next.end - next.start > segment.end - segment.start ? next : segment;
    const agree = isSilent || (segment.name === next.name && segment.decided_by === next.decided_by);
    const { index } = isSilent ? next : longer;
    const decided_by = agree ? named.decided_by : "person";
    const merged = { ...segment, end: Math.max(segment.end, next.end), index, name: named.name, decided_by };
    return exchange(segments, [segment, next], [{ ...merged, texts: [...segment.texts, ...next.texts] }]);
  }

  // Moves the `side` ("start" or "end") of a segment. An edge that it shares with its neighbour moves for both; else it
  // stops at the neighbour.
  function moveEdge(segments, segment, side, time, duration) {
    const isStart = side === "start", other = neighbour(segments, segment, isStart ? -1 : 1);
    const [near, far] = isStart ? ["end", "start"] : ["start", "end"]; // of the neighbour
    const isShared = Boolean(other) && Math.abs(other[near] - segment[side]) < TOUCHING_S;
    const limit = (sign, otherwise) => (!other ? otherwise : isShared ? other[far] + sign * MIN_S : other[near]);
    const low = isStart ? limit(1, 0) : segment.start + MIN_S;
    const high = isStart ? segment.end - MIN_S : limit(-1, duration);
    const at = Math.min(Math.max(roundMs(time), low), high);
    if (low > high || at === segment[side]) return null;
    const moved = [{ ...segment, [side]: at }, ...(isShared ? [{ ...other, [near]: at }] : [])];
    return exchange(segments, isShared ? [segment, other] : [segment], moved);
  }

  // The states of the segments, with undo and redo.
  class History {
    constructor(segments) {
      [this.states, this.position] = [[{ segments, selected: null }], 0];
    }
    get current() {
      return this.states[this.position];
    }
    get canUndo() {
      return this.position > 0;
    }
    get canRedo() {
      return this.position < this.states.length - 1;
    }
    // `from` is the segment that was selected before, which undoing selects again.
    push(state, from) {
      this.current.selected = from;
      this.states = [...this.states.slice(0, this.position + 1), state];
      this.position++;
    }
    move(step) {
      if (step < 0 ? !this.canUndo : !this.canRedo) return null;
      this.position += step;
      return this.current;
    }
  }

  // The corrections as the service and the storage of the browser keep them; no segments if nothing is changed.
  function toDocument(segments, originals) {
    if (segments.length === originals.length && segments.every((segment, k) => segment === originals[k]))
      return { segments: [] };
    const toRow = ({ start, end, index, texts, name, decided_by }) => ({
      start_s: start, end_s: end, model_segment: index, text_from: texts, decided_by,
      ...(decided_by === "person" ? { emotion: name } : {}),
    });
    return { segments: segments.map(toRow) };
  }

  // The segments of such a document; null if it does not fit the timeline.
  function fromDocument(stored, originals, duration) {
    const known = new Map(originals.map((segment) => [segment.index, segment]));
    const toSegment = (row) => {
      const original = known.get(row.model_segment), isPerson = row.decided_by === "person";
      const { start_s: start, end_s: end, text_from: texts = [row.model_segment] } = row;
      const name = isPerson ? row.emotion : original.name;
      const isValid = start >= 0 && start < end && end <= duration && texts.every((index) => known.has(index));
      if (!isValid || (name !== null && typeof name !== "string")) throw new Error("does not fit");
      return { ...original, start, end, texts, name, decided_by: isPerson ? "person" : original.decided_by };
    };
    try {
      return stored.segments.length ? exchange(stored.segments.map(toSegment), [], []).segments : originals;
    } catch {
      return null; // of another version, or changed by another program
    }
  }

  return { relabel, split, merge, moveEdge, neighbour, History, toDocument, fromDocument, roundMs };
})();
