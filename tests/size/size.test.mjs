/** The budgets, and the figures of docs/benchmarks.md. `npm run size` prints what is measured here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readBlock } from "../support/report.mjs";
import { measureSizes } from "./measure.mjs";

/** Another release of the compiler or of zlib makes a few bytes of difference. */
const TOLERANCE = 0.01;
const FIGURE = /\d[\d,]*(?= bytes| \||\*\*)/g;

const { text, checks } = await measureSizes();

for (const { what, bytes, most } of checks) {
  test(`within budget: ${what}`, () => assert.ok(bytes <= most, `${bytes} of ${most} bytes`));
}

test("the tables of docs/benchmarks.md are those of today, within 1 % (npm run size -- --write mends them)", async () => {
  const told = await readBlock("size");
  assert.equal(told.replace(FIGURE, "…"), text.replace(FIGURE, "…"));
  const numbers = (block) => block.match(FIGURE).map((figure) => Number(figure.replaceAll(",", "")));
  const measured = numbers(text);
  assert.ok(measured.length > 30);
  numbers(told).forEach((bytes, index) => {
    const off = Math.abs(bytes - measured[index]);
    assert.ok(off <= measured[index] * TOLERANCE, `${bytes} is told, ${measured[index]} measured`);
  });
});
