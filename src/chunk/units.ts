/** How good it is to cut in front of a unit; the higher, the better. */
export const STRENGTH = { GRAPHEME: 0, WORD: 1, SENTENCE: 2, LINE: 3, PARAGRAPH: 4, HEADING: 5 };

/** What a unit may be divided into next. */
export const LEVEL = { SENTENCES: 0, WORDS: 1, RUNS: 2, GRAPHEMES: 3, CODE_POINTS: 4, NONE: 5 };

/** A part of a document that chunks are made of. Units follow each other; offsets are UTF-16. */
export interface Unit {
  /** The end of the unit before; from here to `content` there is white space. */
  readonly start: number;
  /** Where the first character stands that is no white space. */
  readonly content: number;
  /** Behind the last character that is no white space. */
  readonly end: number;
  readonly strength: number;
  readonly level: number;
}

/**
 * UTF-16 units that are divided at once: what `Intl.Segmenter` takes a millisecond for at most. A
 * grapheme that is longer may be cut, since nothing is known of its end.
 */
export const WINDOW_UNITS = 4096;
/**
 * Where a word must be cut, in runs of so many units at least: tokens of single characters would
 * say little of the tokens of the word.
 */
const RUN_UNITS = 16;

const SENTENCES = new Intl.Segmenter(undefined, { granularity: "sentence" });
const WORDS = new Intl.Segmenter(undefined, { granularity: "word" });
const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });

const STRENGTHS = [
  STRENGTH.SENTENCE,
  STRENGTH.WORD,
  STRENGTH.GRAPHEME,
  STRENGTH.GRAPHEME,
  STRENGTH.GRAPHEME,
];

const HEADING = /^ {0,3}#{1,6}(\s|$)/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LINE_END = /[\n\r\u2028\u2029]/g;
const SPACE = /\s/;
/** Where each character but a line end is a grapheme. */
const ASCII = /^[\0-\x7f]*$/;

/** The lines of a document that hold more than white space, as units. */
export function* lines(text: string): Generator<Unit, void, undefined> {
  let start = 0;
  let fence: string | undefined;
  for (let content = skipSpace(text, 0); content < text.length; ) {
    const lineEnd = findLineEnd(text, content);
    const end = trimEnd(text, content, lineEnd);
    const head = text.slice(content, Math.min(end, content + 80));
    const opening = FENCE.exec(head)?.[1];
    const strength = lineStrength(text.slice(Math.max(start, content - 256), content), head, {
      isFenced: fence !== undefined,
      isFence: opening !== undefined && fence === undefined,
    });
    if (opening !== undefined) {
      if (fence === undefined) fence = opening;
      else if (opening.startsWith(fence)) fence = undefined;
    }
    yield { start, content, end, strength, level: LEVEL.SENTENCES };
    start = end;
    content = skipSpace(text, lineEnd);
  }
}

/** In a block of code there are neither paragraphs nor headings. */
function lineStrength(
  gap: string,
  head: string,
  { isFenced, isFence }: { isFenced: boolean; isFence: boolean },
): number {
  if (isFenced) return STRENGTH.LINE;
  const indent = /[ \t]*$/.exec(gap)![0];
  if (HEADING.test(indent + head)) return STRENGTH.HEADING;
  const lineEnds = gap.replaceAll("\r\n", "\n").match(LINE_END)?.length ?? 0;
  return isFence || lineEnds > 1 ? STRENGTH.PARAGRAPH : STRENGTH.LINE;
}

/**
 * Finer units of one, if it can be divided at a level up to `deepest`. What is beyond the first
 * window stays a unit.
 */
export function divide(text: string, unit: Unit, deepest: number): Unit[] {
  const windowEnd = Math.min(unit.end, unit.content + WINDOW_UNITS);
  const isPartial = windowEnd < unit.end;
  const window = text.slice(unit.content, windowEnd);
  for (let level = unit.level; level <= deepest; level++) {
    const cuts = findCuts(window, level);
    if (cuts.length === 0) continue;
    const units: Unit[] = [];
    let { start, content, strength } = unit;
    for (const cut of [...cuts, window.length]) {
      const isLast = cut === window.length;
      const next = unit.content + cut;
      const end = isLast ? unit.end : trimEnd(text, content, next);
      units.push({
        start,
        content,
        end,
        strength,
        level: isLast && isPartial ? unit.level : level + 1,
      });
      start = end;
      content = next;
      strength = STRENGTHS[level]!;
    }
    return units;
  }
  const { start, content, strength, level } = unit;
  const end = trimEnd(text, content, windowEnd);
  const next = skipSpace(text, end);
  if (!isPartial || next < windowEnd || next === end) return [];
  // White space up to the end of the window, and so no boundary in it.
  return [
    { start, content, end, strength, level },
    { start: end, content: next, end: unit.end, strength: STRENGTH.WORD, level },
  ];
}

/** Where a window may be cut at a level, ascending, neither in front of white space nor at 0. */
function findCuts(window: string, level: number): number[] {
  if (level === LEVEL.CODE_POINTS) return codePoints(window);
  if (level === LEVEL.GRAPHEMES || level === LEVEL.RUNS) {
    return graphemes(window, level === LEVEL.RUNS ? RUN_UNITS : 1);
  }
  const starts = level === LEVEL.SENTENCES ? sentences(window) : words(window);
  if (ASCII.test(window)) return starts;
  const clusters = GRAPHEMES.segment(window);
  return starts.filter((at) => isWhole(window, clusters.containing(at)?.index ?? at, at));
}

/** Is nothing cut off from its grapheme at `at` but white space? */
function isWhole(window: string, clusterStart: number, at: number): boolean {
  return clusterStart === at || window.slice(clusterStart, at).trim() === "";
}

function sentences(window: string): number[] {
  const starts: number[] = [];
  for (const { index, segment } of SENTENCES.segment(window)) {
    if (index > 0 && segment.trim() !== "") starts.push(index + leadingSpace(segment));
  }
  return starts;
}

/** Before each word, with what opens it, and behind white space. Other punctuation ends a word. */
function words(window: string): number[] {
  const starts: number[] = [];
  let before = " ";
  for (const { index, segment, isWordLike } of WORDS.segment(window)) {
    const isOpened = /^[\p{Ps}\p{Pi}"'¿¡]$/u.test(before);
    const isStart = before.trim() === "" || (isWordLike === true && !isOpened);
    if (index > 0 && segment.trim() !== "" && isStart) {
      starts.push(index + leadingSpace(segment));
    }
    before = segment;
  }
  return starts;
}

function graphemes(window: string, distance: number): number[] {
  const starts: number[] = [];
  let last = 0;
  for (const { index, segment } of GRAPHEMES.segment(window)) {
    if (index - last < distance || segment.trim() === "") continue;
    starts.push(index + leadingSpace(segment));
    last = index;
  }
  return starts;
}

/** A mark that combines with white space is in one segment with it. */
function leadingSpace(segment: string): number {
  return segment.length - segment.trimStart().length;
}

function codePoints(window: string): number[] {
  const starts: number[] = [];
  let at = 0;
  for (const char of window) {
    if (at > 0 && !SPACE.test(char)) starts.push(at);
    at += char.length;
  }
  return starts;
}

function findLineEnd(text: string, from: number): number {
  LINE_END.lastIndex = from;
  return LINE_END.exec(text)?.index ?? text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function trimEnd(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}

/** White space as `\s` and `trim` know it. */
function isSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 9 && unit <= 13);
  return SPACE.test(String.fromCharCode(unit));
}
