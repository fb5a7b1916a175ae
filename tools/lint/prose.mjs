/** The prose of a file, line by line: what the word list looks at. Each line is `{ number, text }`. */

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
    const begin = inside ? undefined : /(?:^|\s)(\/\/[/!]?|\/\*\*?)(?=\s|$)/.exec(line);
    if (!inside && !begin) return "";
    const comment = begin ? line.slice(begin.index + begin[0].length) : line.replace(/^\s*\*(?!\/)/, "");
    if (begin?.[1].startsWith("//")) return comment;
    inside = !comment.includes("*/");
    return comment.replace(/\*\/.*$/, "").trimEnd();
  });
}

/** Comments that begin with `#`. */
const hashComments = (lines) => lines.map((line) => /(?:^|\s)#(.*)$/.exec(line)?.[1] ?? "");

const READERS = {
  md: ofMarkdown,
  ...Object.fromEntries(
    ["rs", "ts", "tsx", "mjs", "js", "css"].map((extension) => [extension, ofSource(slashComments)]),
  ),
  ...Object.fromEntries(["toml", "yaml", "yml"].map((extension) => [extension, ofSource(hashComments)])),
};

/** The extensions of the files whose prose can be read. */
export const EXTENSIONS = Object.keys(READERS);

/** The lines of prose of a file, by its extension. */
export const prose = (file, source) =>
  READERS[file.split(".").at(-1)](source).map(({ number, text }) => ({ number, text: withoutCode(text) }));
