/** The prose of a file, line by line, for the word list. Each line is `{ number, text }`. */

/** Without code in backticks and the targets of links. */
const withoutCode = (text) =>
  text
    .replace(/`[^`]*`/g, "`code`")
    .replace(/\]\([^)]*\)/g, "]")
    .replace(/https?:\/\/\S+/g, "");

const lines = (source) => source.split("\n").map((text, index) => ({ number: index + 1, text }));

/** A Markdown document without its code blocks and comments. */
function ofMarkdown(source) {
  let fence;
  return lines(source.replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, ""))).filter(
    ({ text }) => {
      const mark = /^\s*(```+|~~~+)/.exec(text)?.[1];
      if (fence) {
        if (mark?.startsWith(fence)) fence = undefined;
        return false;
      }
      fence = mark;
      return !mark;
    },
  );
}

/** The comments of a source, without the examples in them. `commentsOf` returns the comment of each line, or "". */
const ofSource = (commentsOf) => (source) =>
  ofMarkdown(commentsOf(source.split("\n")).join("\n")).filter(({ text }) => text.trim());

/** Comments that begin with `//`, and those between slashes with asterisks. */
function slashComments(lines) {
  let inside = false;
  return lines.map((line) => {
    const begin = inside ? undefined : /(?:^|[\s{])(\/\/[/!]?|\/\*\*?)(?=\s|$)/.exec(line);
    if (!inside && !begin) return "";
    const comment = begin ? line.slice(begin.index + begin[0].length) : line.replace(/^\s*\*(?!\/)/, "");
    if (begin?.[1].startsWith("//")) return comment;
    inside = !comment.includes("*/");
    return comment.replace(/\*\/.*$/, "").trimEnd();
  });
}

/** Comments that begin with `#`. */
const hashComments = (lines) => lines.map((line) => /(?:^|\s)#(.*)$/.exec(line)?.[1] ?? "");

/** Comments that begin with `--`. */
const dashComments = (lines) => lines.map((line) => /(?:^|\s)--(?=\s|$)(.*)$/.exec(line)?.[1] ?? "");

/** A text without anything but its line breaks. */
const blank = (text) => text.replace(/[^\n]/g, "");

/**
 * Returns only the parts of a source that the second group of `pattern` matches, on their lines. The first group is the
 * text of a match before the part.
 */
function only(pattern, source) {
  let end = 0;
  const parts = [...source.matchAll(pattern)].map(({ 1: before, 2: part, index }) => {
    const begin = index + before.length;
    const gap = blank(source.slice(end, begin)) || " ";
    end = begin + part.length;
    return gap + part;
  });
  return parts.join("");
}

const withText = (lines) => lines.filter(({ text }) => text.trim());
const byNumber = (...parts) => parts.flat().sort((one, other) => one.number - other.number);

/** A text in Rust code, without its quotation marks. */
const TEXT = String.raw`(?:[^"\\]|\\[\s\S])*`;
const ATTRIBUTE = new RegExp(String.raw`((?:\b(?:description|summary) = |#\[error\(\s*)")(${TEXT})"`, "g");
/** The arguments of a macro, with parentheses in parentheses in them. */
const ARGUMENTS = [1, 2].reduce(
  (inner) => String.raw`(?:"${TEXT}"|[^"()]|\(${inner}\))*`,
  String.raw`(?:"${TEXT}"|[^"()])*`,
);
const LOG = new RegExp(String.raw`(\btracing::\w+!\()(${ARGUMENTS})\)`, "g");

/** Texts that Rust code shows: descriptions of the OpenAPI document, messages of errors, and lines of the log. */
function ofRustTexts(source) {
  const code = source.replace(/^\s*\/\/.*$/gm, blank);
  const logTexts = only(new RegExp(`(")(${TEXT})"`, "g"), only(LOG, code));
  const shown = (text) =>
    text
      .replace(/\\$/gm, "")
      .replace(/\\"/g, '"')
      .replace(/\{[^{}\n]*\}/g, "`value`");
  return byNumber(...[only(ATTRIBUTE, code), logTexts].map((text) => withText(lines(shown(text)))));
}

/** A Python source: its comments, and the texts between three quotation marks. */
const ofPython = (source) =>
  byNumber(ofSource(hashComments)(source), withText(lines(only(/(""")([\s\S]*?)"""/g, source))));

const TAG = /<\/?[A-Za-z!](?:"[^"]*"|'[^']*'|\{[^}]*\}|[^"'{}>])*>/g;
/** An attribute that is shown or read aloud, or any other character. */
const SHOWN_ATTRIBUTE = /\s(?:alt|aria-label|content|placeholder|title)="([^"]*)"|[^\n]/g;

/** The text of HTML, and of a component in Vue or Svelte, and its comments: those of scripts and styles too. */
function ofMarkup(source) {
  const code = /(<(?:script|style)\b[^>]*>)([\s\S]*?)<\/(?:script|style)>/g;
  const text = source
    .replace(code, blank)
    .replace(/<!--|-->/g, "")
    .replace(/\{\{[\s\S]*?\}\}/g, (value) => `\`value\`${blank(value)}`)
    .replace(TAG, (tag) => {
      const shown = tag.replace(SHOWN_ATTRIBUTE, (_, value) => (value === undefined ? "" : ` ${value} `));
      return /^<h\d/.test(tag) ? `# ${shown}` : shown;
    })
    .replace(/\{[^{}]*\}/g, (value) => `\`value\`${blank(value)}`)
    .replace(/&nbsp;/g, " ");
  return byNumber(withText(lines(text)), ofSource(slashComments)(only(code, source)));
}

const READERS = {
  md: ofMarkdown,
  rs: (source) => byNumber(ofSource(slashComments)(source), ofRustTexts(source)),
  py: ofPython,
  sql: ofSource(dashComments),
  ...Object.fromEntries(["html", "vue", "svelte"].map((extension) => [extension, ofMarkup])),
  ...Object.fromEntries(
    ["ts", "tsx", "mjs", "js", "jsx", "css", "go"].map((extension) => [extension, ofSource(slashComments)]),
  ),
  ...Object.fromEntries(
    ["toml", "yaml", "yml", "conf", "env", "Dockerfile"].map((kind) => [kind, ofSource(hashComments)]),
  ),
};

/** The extension of a file, or its name if it has none. */
const kindOf = (file) => file.split(/[/.]/).at(-1);

/** Whether the prose of a file can be read. */
export const canRead = (file) => Object.hasOwn(READERS, kindOf(file));

/** The lines of prose of a file, by its extension. */
export const prose = (file, source) =>
  READERS[kindOf(file)](source).map(({ number, text }) => ({ number, text: withoutCode(text) }));
