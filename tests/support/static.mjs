/** A static file server for pages under test: right MIME types, any extra headers, and a record of what it sent. */
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { listen } from "./http.mjs";

const TYPES = {
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
export async function serveFiles({ folders = {}, files = { "/": BLANK_PAGE }, headers = {}, answer } = {}) {
  const sent = [];
  const { origin, close } = await listen(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const found = await read(pathname, folders, files);
    const type = TYPES[extname(pathname) || ".html"] ?? "application/octet-stream";
    const made = { status: found ? 200 : 404, type, body: found ?? "", ...(await answer?.(pathname, found)) };
    response.writeHead(made.status, { "content-type": made.type, ...headers }).end(made.body);
    sent.push({ path: pathname, status: made.status, body: Buffer.from(made.body) });
  });
  return { origin, close, sent };
}

async function read(pathname, folders, files) {
  if (Object.hasOwn(files, pathname)) return Buffer.from(files[pathname]);
  for (const [prefix, folder] of Object.entries(folders)) {
    if (!pathname.startsWith(prefix)) continue;
    const path = normalize(join(folder, decodeURIComponent(pathname.slice(prefix.length)) || "index.html"));
    if (path.startsWith(normalize(folder))) return readFile(path).catch(() => undefined);
  }
  return undefined;
}
