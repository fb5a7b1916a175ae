/** The end-to-end suite of one browser. */
import { after, describe, test } from "node:test";
import { BROWSERS, launch, MissingBrowser } from "../support/browsers/index.mjs";
import { testClient } from "./client.mjs";
import { testEngines } from "./engines.mjs";
import { testFrames } from "./frames.mjs";
import { quotes, testMessages } from "./messages.mjs";
import { testPolicies } from "./policies.mjs";
import { makeSetting } from "./setting.mjs";

/** Defines all of it; one skipped test with its reason, where only this browser is missing on the machine. */
export async function testBrowser(name) {
  const browser = await launch(name).catch((error) => {
    if (error instanceof MissingBrowser) return error;
    throw error;
  });
  if (browser instanceof MissingBrowser) {
    test(name, { skip: browser.message });
    test("the other browsers run here", async () => {
      for (const other of BROWSERS) if (other !== name) await (await launch(other)).close();
    });
    return;
  }
  after(browser.close);
  const setting = await makeSetting();
  const rows = await quotes();
  describe(browser.title, () => {
    describe("the client", () => testClient(browser, setting));
    describe("the engine", () => testPolicies(browser, setting));
    describe("a message", () => testMessages(browser, setting, rows));
    describe("a frame", () => testFrames(browser, setting));
    describe("solve", () => testEngines(browser, setting));
  });
}
