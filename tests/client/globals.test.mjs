/** A runtime that lacks a global: the error names it, and blames neither the server nor the package. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { installTarball, runNode } from "../support/tarball.mjs";

const { folder, remove } = await installTarball();
after(remove);

for (const name of ["URL", "TextDecoder", "atob", "performance"]) {
  test(`without ${name}`, async () => {
    const { stdout, stderr } = await runNode(
      folder,
      `
      import { createClient, solve } from "saltmine";
      delete globalThis.${name};
      const failures = [
        async () => createClient({ baseUrl: "http://127.0.0.1:1", appId: "app_1" }).session(),
        async () => solve({ algorithm: "SHA-256", challenge: "", salt: "", signature: "" }),
      ];
      for (const fail of failures) await fail().catch(({ code, message }) => console.log(code, message));
      `,
    );
    const lines = stdout.trim().split("\n");
    assert.equal(lines.length, 2, stderr);
    for (const line of lines)
      assert.match(line, new RegExp(`^runtime_unsupported This runtime lacks globals .* — ${name}$`));
  });
}

test("without fetch: only a client that has none of its own needs it", async () => {
  const { stdout, stderr } = await runNode(
    folder,
    `
    import { createClient } from "saltmine";
    const { fetch } = globalThis;
    delete globalThis.fetch;
    const token = ["e30", btoa('{"sub":"user-1","iat":1,"exp":9999999999}'), "x"].join(".");
    const options = { baseUrl: "http://127.0.0.1:1", appId: "app_1", timeoutMs: 500 };
    const getAuthToken = async () => token;
    const calls = [
      () => createClient(options).session(),
      () => createClient({ ...options, fetch }).session(),
      () => createClient({ ...options, getAuthToken }).session(),
      () => createClient({ ...options, getAuthToken }).fetch("/x"),
    ];
    for (const call of calls)
      console.log(await call().then(({ userId }) => userId, ({ code, message }) => code + " " + message));
    `,
  );
  const [session, own, signedIn, request] = stdout.trim().split("\n");
  const missing = /^runtime_unsupported This runtime lacks globals .* — fetch$/;
  assert.match(session, missing, stderr);
  assert.match(own, /^network /);
  assert.equal(signedIn, "user-1");
  assert.match(request, missing);
});
