/** A static file server for pages under test: right MIME types, any extra headers, and a record of what it sent. */
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { listen } from "./http.mjs";

const TYPES = {
  ".cjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** A page with nothing on it. */
export const BLANK_PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>saltmine</title><link rel="icon" href="data:,">';

/**
 * Serves `folders` (URL prefix to directory) and `files` (URL path to text). `headers` go with every answer;
 * `answer(path, body)` may replace what is sent: `{ status?, type?, body? }`, or a promise of it.
 */
export function serveFiles({ folders = {}, files = { "/": BLANK_PAGE }, headers = {}, answer } = {}) {
  return listen(async (_request, _response, path) => {
    const file = await readAnswer(path, { folders, files });
    return { ...file, ...(await answer?.(path, file.body)) };
  }, headers);
}

/** The answer for one path. */
export async function readAnswer(path, { folders = {}, files = {} }) {
  const body = await read(path, folders, files);
  const type = TYPES[extname(path) || ".html"] ?? "application/octet-stream";
  return { status: body ? 200 : 404, type, body };
}

async function read(path, folders, files) {
  if (Object.hasOwn(files, path)) return Buffer.from(files[path]);
  for (const [prefix, folder] of Object.entries(folders)) {
    if (!path.startsWith(prefix)) continue;
    const file = normalize(join(folder, decodeURIComponent(path.slice(prefix.length)) || "index.html"));
    if (file.startsWith(normalize(folder))) return readFile(file).catch(() => undefined);
  }
  return undefined;
}
