/**
 * All of `npm run release` but the tests, which are elsewhere, and the publishing. It builds every crate for minutes: in
 * `npm run test:frameworks`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeTree, version } from "./tree.mjs";

test("a dry run packs the npm package, and packs and builds each crate", async (t) => {
  const tree = await makeTree(t);
  const { code, said } = await tree.release("--dry-run", "--skip-tests");
  assert.equal(code, 0, said);
  assert.ok(said.includes(`+ saltmine@${version}`), said);
  for (const crate of ["protocol", "solver", "server"]) {
    assert.match(said, new RegExp(`Verifying saltmine-${crate} v`));
    assert.match(said, new RegExp(`Uploading saltmine-${crate} v`));
  }
  assert.match(said, /aborting upload due to dry run/);
  assert.ok(said.includes(`v${version} could be published.`));
  assert.equal((await tree.git("tag")).said, "", "nothing is tagged");
});
