/** The backend examples: each issues challenges, accepts what the package solves, and refuses what it should. */
import assert from "node:assert/strict";
import { createHmac, createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, before, after } from "node:test";
import { solve } from "saltmine";
import { runIn, startIn } from "../packaging/project.mjs";
import { root } from "../support/paths.mjs";

const SECRET = "a secret for these tests, 32 characters and more";
const GO = process.env.SALTMINE_GO;
const BACKENDS = {
  node: [process.execPath, ["server.mjs"]],
  python: ["python3", ["server.py"]],
  // Built first: `go run` would leave the program behind when it is ended.
  go: ["./backend-go", []],
};

const encode = (solution) => Buffer.from(JSON.stringify(solution)).toString("base64");
const sign = (text) => createHmac("sha256", SECRET).update(text).digest("hex");
const digest = (text) => createHash("sha256").update(text).digest("hex");

for (const [name, [program, args]] of Object.entries(BACKENDS)) {
  const skip = name === "go" && !GO && "needs Go: npm run test:matrix installs it, or set SALTMINE_GO";
  describe(`backend-${name}`, { skip }, () => {
    let url;
    const cleanUp = [];
    before(async () => {
      const folder = await mkdtemp(join(tmpdir(), `saltmine-backend-${name}-`));
      cleanUp.push(() => rm(folder, { recursive: true, force: true }));
      await cp(join(root, "examples", `backend-${name}`), folder, { recursive: true });
      if (name === "go") await runIn(folder, GO, ["build"], { GOTOOLCHAIN: "local" });
      const env = { ALTCHA_SECRET: SECRET, PORT: "0" };
      const t = { after: (end) => cleanUp.push(end) };
      [, url] = await startIn(t, folder, program, args, /listening on (http:\/\/\S+)/, env);
    });
    after(async () => {
      for (const end of cleanUp.reverse()) await end();
    });

    const verify = async (payload) => {
      const response = await fetch(`${url}/verify`, { method: "POST", body: payload });
      return { status: response.status, ...(await response.json()) };
    };
    const solved = async () => {
      const challenge = await (await fetch(`${url}/challenge`)).json();
      const { number } = await solve(challenge);
      return {
        algorithm: "SHA-256",
        challenge: challenge.challenge,
        number,
        salt: challenge.salt,
        signature: challenge.signature,
      };
    };

    test("accepts a solution once, however it is written", async () => {
      const solution = await solved();
      assert.deepEqual(await verify(encode(solution)), { status: 200, verified: true });
      assert.equal((await verify(encode(solution))).error, "used before");
      assert.equal((await verify(encode({ took: 12, ...solution }))).error, "used before");
    });

    test("accepts what the documentation's code for the page sends", async () => {
      const guide = await readFile(join(root, "docs", "your-own-backend.md"), "utf8");
      const [, code] = /```js\nimport \{ solve \} from "saltmine";\n([^]*?)```/.exec(guide);
      const statuses = [];
      const fetchHere = async (path, init) => {
        const response = await fetch(url + path, init);
        statuses.push(response.status);
        return response;
      };
      const AsyncFunction = (async () => {}).constructor;
      await new AsyncFunction("solve", "fetch", code)(solve, fetchHere);
      assert.deepEqual(statuses, [200, 200]);
    });

    test("accepts exactly one of many at the same time", async () => {
      const payload = encode(await solved());
      const results = await Promise.all(Array.from({ length: 20 }, () => verify(payload)));
      assert.equal(results.filter(({ status }) => status === 200).length, 1);
    });

    test("refuses a wrong number, a forged challenge and a moved digit", async () => {
      const solution = await solved();
      const forged = digest(`${solution.salt}7`);
      const spliced = { ...solution, salt: solution.salt.replace("&", "&1"), number: 1 };
      for (const [changed, error] of [
        [{ ...solution, number: solution.number + 1 }, "wrong solution"],
        [{ ...solution, challenge: forged, number: 7 }, "wrong solution"],
        [{ ...solution, number: String(solution.number) }, "number is not an integer"],
        [{ ...solution, number: -1 }, "number is not an integer"],
        [{ ...solution, number: 1.5 }, "number is not an integer"],
        [{ ...solution, algorithm: "SHA-1" }, "another algorithm"],
        [spliced, "another salt"],
      ]) {
        assert.deepEqual(await verify(encode(changed)), { status: 400, error });
      }
      assert.equal((await verify(encode(solution))).status, 200);
    });

    test("refuses a challenge that has expired", async () => {
      const salt = `0123456789abcdef01234567?expires=${Math.floor(Date.now() / 1000) - 10}&`;
      const challenge = digest(`${salt}7`);
      const solution = { algorithm: "SHA-256", challenge, number: 7, salt, signature: sign(challenge) };
      assert.deepEqual(await verify(encode(solution)), { status: 400, error: "expired" });
    });

    test("refuses garbage", async () => {
      for (const garbage of ["%%%", encode(null), encode([]), encode({}), "A".repeat(5000)])
        assert.equal((await verify(garbage)).status, 400);
    });
  });
}
