/**
 * The words that documents and comments do not use, and the words to write instead. Each pattern is tried on one line of
 * prose, without its code. `unless` is a pattern of the same line that makes the word right.
 */
export const GLOSSARY = [
  { not: /\bdoors?\b|\bways? in\b(?! which)/i, write: "entry point, export" },
  { not: /\brungs?\b|\bladders?\b/i, write: "engine, fallback, engine selection" },
  { not: /\bhouses?\b|\brooms?\b(?! (?:for|to|of)\b)/i, write: "repository layout, package, crate" },
  {
    not: /\b(?:is|are|was|were|be|been|being) told\b|\bhears?\b|\btells\b/i,
    write: "receives, emits, reports",
  },
  { not: /\bfarewells?\b/i, write: "sign-out, dispose" },
  { not: /\bdr(?:aw|aws|awn|ew)\b/i, unless: /\b(?:page|screen|canvas|picture|chart)\b/i, write: "generate" },
  {
    not: /\bholds\b(?=[.,;:)|]| (?:for|until|while|only|as long)\b|$)|(?<!\bat )\bits end\b|\b(?:is|are) over\b(?! (?:\d|(?:an?|the|its)\b))/i,
    write: "is valid, expiry, has expired",
  },
  {
    not: /\banswer(?:s|ed|ing)?\b/i,
    // The answer of an agent to a visitor's question is one.
    unless: /\b(?:agents?|assistant|chats?|conversations?|questions?|models?|messages?|words?)\b/i,
    only: /\b(?:HTTP|status|headers?|servers?|services?|requests?|JSON|body|CORS|endpoint|[45]\d\d)\b/i,
    write: "response (HTTP)",
  },
  { not: /(?<!\blet )(?<!\bleft )\balone\b/i, write: "only X" },
  {
    not: /\b(?:builds?|databases?|files?|pages?|plugins?|projects?|schemas?|tables?|tools?) of (?:esbuild|HTML|Jest|Next|Node|npm|Parcel|PostgreSQL|Rollup|Rspack|SQLite|Vite|Vitest|webpack)\b/i,
    write: "a SQLite file, a Vite project",
  },
  { not: /\blies\b|\bstands\b(?! for\b)/i, write: "is located, is" },
  {
    not: /\bprices?\b|\bcosts? (?:a|one|no|its) solution\b|\bpa(?:y|ys|id)\b/i,
    write: "requires a proof of work",
  },
  { not: /\btwins?\b/i, write: "a reference implementation" },
  { not: /\bworth\b/i, write: "proportional to the work" },
  {
    not: /\b(?:keeper|lender|attendance|leases)\b/i,
    // In Redis, an instance has leases.
    unless: /\b(?:instances?|Redis|renew(?:s|ed|al)?)\b/i,
    write: "the name of the responsibility",
  },
  {
    not: /\bt(?:akes?|ook|aking) off\b|\bland(?:s|ed)?\b|\bflights?\b/i,
    write: "start, settle, pending request",
  },
  { not: /\bsurroundings\b/i, write: "environment" },
  { not: /\bcarr(?:y|ies|ied) out\b|\b(?:go|goes|went) on\b/i, write: "run, resume" },
  { not: /\bfavourites?\b|\bundone\b/i, write: "specialised word, inverted final rounds" },
  {
    not: /\bbr(?:eaks?|oke|oken) off\b|\bf(?:alls?|ell) silent\b/i,
    write: "failed unexpectedly, stopped responding",
  },
  { not: /\bbelieve[ds]?\b/i, write: "trusted" },
  { not: /\b(?:wrong|missing|,) (?:or )?over\b/i, write: "too large, too long, exceeds" },
  { not: /\bnot told\b/i, write: "does not receive, is not known" },
  {
    not: /\bwhoever\b|\bdig(?:s|ging)?\b|\bmin(?:es|ing)\b/i,
    write: "the subject's name, without a metaphor",
  },
];

/** Returns the wrong words in a line of prose, each with the words to write instead. */
export function wrongWords(line) {
  return GLOSSARY.flatMap(({ not, unless, only, write }) => {
    if (unless?.test(line) || (only && !only.test(line))) return [];
    const words = line.match(new RegExp(not.source, "gi")) ?? [];
    return words.map((word) => ({ word, write }));
  });
}

/** At the beginning of a line, after the mark of a list or not, or after the end of a sentence. */
const BEGINNING = /(?:^\s*(?:(?:[-*]|\d+\.)\s+)?|[.!?]["')]*\s+)(What|Who|Whoever|Of an?)\b/g;
/** A sentence ends here, unless the text does. */
const END_OF_SENTENCE = /[.!?](?=["')*_]*(?:\s|$))/;

/**
 * Returns the sentences that begin with a stand-in for a noun: the number of the line and the word. Questions and
 * headings may begin with one. `lines` are the lines of a file's prose.
 */
export function wrongBeginnings(lines) {
  return lines.flatMap(({ number, text }, index) =>
    [...text.matchAll(BEGINNING)]
      .filter(({ 0: { length }, index: at }) => {
        const rest = [text.slice(at + length)];
        for (
          let next = index + 1;
          lines[next]?.number === number + next - index && lines[next].text.trim();
          next++
        )
          rest.push(lines[next].text);
        return END_OF_SENTENCE.exec(rest.join("\n"))?.[0] !== "?";
      })
      .map(([, word]) => ({ number, word, write: "the subject's name, or a noun phrase" })),
  );
}

/** Returns all wrong words in the lines of a file's prose, each with the number of its line. */
export const wrongIn = (lines) => [
  ...lines.flatMap(({ number, text }) => wrongWords(text).map((wrong) => ({ number, ...wrong }))),
  ...wrongBeginnings(lines),
];
