/** The code blocks of the documents, and what they say they print. */

const LOCAL_SERVER = "http://127.0.0.1:8787";

/** The code blocks of a text, in a language or a pattern of languages, with the server's address of this test. */
export function codeBlocks(text, language, baseUrl) {
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"));
  return [...blocks].map(([, code]) => code.replaceAll(LOCAL_SERVER, baseUrl));
}

/** Returns the log lines that an example promises, in the comments after `console.log(…);`. */
export const promisedLogs = (code) =>
  [...code.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map(([, promised]) => promised);
