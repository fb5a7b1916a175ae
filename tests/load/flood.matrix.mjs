/** Adaptive difficulty makes a flood expensive, and does not affect visitors of other networks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flood } from "./flood.mjs";

test("adaptive difficulty slows a flood", async (t) => {
  const { text, figures } = await flood({ seconds: 10 });
  t.diagnostic(text);
  const [off, on] = figures.filter(({ network }) => network === "one network");
  assert.ok(on.perHour < off.perHour / 4, text);
  assert.ok(on.medianMs < off.medianMs * 3, text);
  const [all, fewer] = figures.filter(({ network }) => network !== "one network");
  assert.ok(fewer.perHour < all.perHour / 2, text);
});
