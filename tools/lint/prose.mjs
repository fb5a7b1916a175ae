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

/** The doc comments of a Rust module and of its public items. */
function ofRust(source) {
  const all = lines(source);
  const isDoc = ({ text }) => /^\s*\/\/\//.test(text);
  const isPublic = (index) => {
    const item = all.slice(index).find((line) => !isDoc(line) && !/^\s*(?:#\[|\/\/)/.test(line.text));
    return /^\s*pub (?!\()/.test(item?.text ?? "");
  };
  return all
    .filter((line, index) => /^\s*\/\/!/.test(line.text) || (isDoc(line) && isPublic(index)))
    .map(({ number, text }) => ({ number, text: text.replace(/^\s*\/\/[/!] ?/, "") }));
}

/** The doc comments of a TypeScript module, without their examples. */
function ofTypeScript(source) {
  let inside = false;
  const comments = lines(source).map(({ number, text }) => {
    const begins = /^\s*\/\*\*/.test(text);
    const isComment = inside || begins;
    inside = isComment && !text.includes("*/");
    const prose = text.replace(/^\s*(?:\/\*\*|\*(?!\/))? ?/, "").replace(/\s*\*\/.*$/, "");
    return { number, text: isComment ? prose : "" };
  });
  const markdown = ofMarkdown(comments.map(({ text }) => text).join("\n"));
  return markdown.filter(({ text }) => text);
}

const READERS = { md: ofMarkdown, rs: ofRust, ts: ofTypeScript };

/** The lines of prose of a file, by its extension. */
export const prose = (file, source) =>
  READERS[file.split(".").at(-1)](source).map(({ number, text }) => ({ number, text: withoutCode(text) }));
