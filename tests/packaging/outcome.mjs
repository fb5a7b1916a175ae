/** The report of a project's page: the session's token, the engine and the thread, or the error. */
import assert from "node:assert/strict";
import { openPage } from "../support/browser.mjs";

/** Waits until a page sets `globalThis.outcome`; resolves to it. */
export async function readOutcome(page, timeout = 30_000) {
  await page.waitForFunction(() => globalThis.outcome, undefined, { timeout, polling: 20 });
  return page.evaluate(() => globalThis.outcome);
}

/** Opens a page that requests its session from the server at `api`; its outcome, with the page's complaints. */
export async function outcomeAt(browser, url, api, timeout) {
  const address = new URL(url);
  address.searchParams.set("api", api);
  const { page, context, complaints } = await openPage(browser, address.href);
  try {
    return { ...(await readOutcome(page, timeout)), complaints };
  } finally {
    await context.close();
  }
}

/** Asserts a token, and the engine and the thread that solved the challenge; with the best ones, no complaint. */
export function assertToken(
  { token, code, message, backend, complaints },
  engine = "simd128",
  thread = "worker",
) {
  assert.match(String(token), /^[\w-]+\.[\w-]+\.[\w-]+$/, `${code}: ${message}`);
  assert.deepEqual([backend.engine, backend.thread], [engine, thread], backend.reason);
  if (engine === "simd128" && thread === "worker") {
    assert.equal(backend.reason, undefined);
    assert.deepEqual(complaints, []);
  }
}
