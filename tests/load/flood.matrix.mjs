/** The adaptive price makes a flood dear, and leaves visitors of other networks alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flood } from "./flood.mjs";

test("an adaptive price slows a flood", async (t) => {
  const { text, figures } = await flood({ seconds: 10 });
  t.diagnostic(text);
  const [off, on] = figures.filter(({ network }) => network === "one network");
  assert.ok(on.perHour < off.perHour / 4, text);
  assert.ok(on.medianMs < off.medianMs * 3, text);
  const [all, fewer] = figures.filter(({ network }) => network !== "one network");
  assert.ok(fewer.perHour < all.perHour / 2, text);
});
