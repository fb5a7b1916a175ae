/**
 * A tab that the browser freezes in the background: nothing runs in it until it is visible again. With puppeteer-core,
 * since Playwright makes every page report that it is always visible.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import puppeteer from "puppeteer-core";
import { FLAGS } from "../support/browser.mjs";
import { eventsOf, hasSearched, makeClient, openTab, settle, until } from "../support/client-pages.mjs";
import { instead, late } from "../support/fault-proxy.mjs";
import { chromiumPath } from "../support/browsers/find.mjs";
import {
  assertEnds,
  assertLeavesNothing,
  begin,
  DEEP,
  DEEP_MS,
  deepChallenge,
  ending,
  setUp,
  SLACK_MS,
  startStage,
} from "./stage.mjs";

/** The shortest that the server makes. */
const LIFETIME_SECONDS = 60;
/** A tab waits for another's lock for so long at most: `pkg/src/session/environment.ts`. */
const LOCK_MS = 15_000;

const pages = await startStage({ env: { INKEEP_ANON_SESSION_LIFETIME_SECONDS: `${LIFETIME_SECONDS}` } });
const browser = await puppeteer.launch({ executablePath: chromiumPath(), headless: true, args: FLAGS });
const stage = { ...pages, newContext: () => browser.createBrowserContext() };
after(async () => {
  await browser.close();
  await pages.close();
});

/** Freezes a page and thaws it, and knows that it did. */
async function freezer(page) {
  const cdp = await page.createCDPSession();
  await page.evaluate(() => {
    globalThis.lifecycle = [];
    for (const type of ["freeze", "resume"]) document.addEventListener(type, () => lifecycle.push(type));
  });
  const set = (state) => cdp.send("Page.setWebLifecycleState", { state });
  return {
    freeze: () => set("frozen"),
    // A tab that was frozen stays hidden, in front too: there is no window that anybody could look at.
    look: () => cdp.send("Emulation.setFocusEmulationEnabled", { enabled: true }),
    thaw: async () => {
      await set("active");
      await until("the thaw", async () => (await page.evaluate(() => lifecycle)).join() === "freeze,resume");
    },
  };
}

describe("a tab that is frozen", { concurrency: 4 }, () => {
  test("with a session, past its end: a new one when somebody looks", async (t) => {
    const { page, complaints } = await setUp(t, stage);
    const { session } = await ending(page);
    const { freeze, thaw, look } = await freezer(page);
    await freeze();
    await settle(LIFETIME_SECONDS * 1_000 + 1_000);
    await thaw();
    await look();
    await until("the renewal", async () => (await eventsOf(page, "ready")).length === 2, SLACK_MS);
    const end = await ending(page);
    assertEnds(end, "token", SLACK_MS);
    assert.notEqual(end.session.token, session.token);
    await assertLeavesNothing(page, complaints);
  });

  test("in mid-search: a token when it is thawed", async (t) => {
    const { page, proxy, complaints } = await setUp(t, stage, { maxNumber: 2 * DEEP });
    proxy.break("challenge", instead(deepChallenge(DEEP)));
    const { freeze, thaw } = await freezer(page);
    const call = begin(page);
    await until("the search", () => hasSearched(page));
    await freeze();
    await settle(10_000);
    assert.ok(!call.over(), "it was not frozen");
    await thaw();
    assertEnds(await call.end, "token", 10_000 + DEEP_MS);
    await assertLeavesNothing(page, complaints);
  });

  test("while it asks, with the lock: another tab waits 15 s and no longer", async (t) => {
    const { page, context, proxy, options, complaints } = await setUp(t, stage);
    proxy.break("challenge", late(3_000), 1);
    const { freeze, thaw } = await freezer(page);
    const frozen = begin(page);
    await until("the request", () => proxy.asked.includes("challenge"));
    await freeze();
    const other = await openTab(context, stage.site.origin);
    await makeClient(other, options);
    assertEnds(await ending(other), "token", 15_000 + SLACK_MS);
    assert.ok(!frozen.over());
    await thaw();
    const end = await frozen.end;
    assertEnds(end, "token", 15_000 + 2 * SLACK_MS);
    // Both end with the one that was stored.
    await until(
      "one session",
      async () => (await ending(page)).session.token === (await ending(other)).session.token,
    );
    await other.evaluate(() => client.dispose());
    await assertLeavesNothing(page, complaints);
  });
});
