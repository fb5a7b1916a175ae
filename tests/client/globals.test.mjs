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

test("where abort() takes no reason and signals have none: the errors are the same", async () => {
  const { stdout, stderr } = await runNode(
    folder,
    `
    import { createServer } from "node:http";
    import { createClient } from "saltmine";
    // As before Chrome 98, Firefox 97 and Safari 15.4.
    const { abort } = AbortController.prototype;
    AbortController.prototype.abort = function () { abort.call(this); };
    delete AbortSignal.prototype.reason;
    const server = createServer(() => {});
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const token = ["e30", btoa('{"sub":"user-1","iat":1,"exp":9999999999}'), "x"].join(".");
    const client = (options) =>
      createClient({ baseUrl: "http://127.0.0.1:" + server.address().port, appId: "app_1", ...options });
    const waiting = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    let context;
    const getAuthToken = (given) => { context = given; return new Promise(() => {}); };
    const controller = new AbortController();
    const calls = {
      "session, dispose": [{}, (client) => client.session(), (client) => client.dispose()],
      "session, signOut": [{}, (client) => client.session(), (client) => client.signOut()],
      "session, abort": [{}, (client) => client.session(controller), () => controller.abort()],
      "solution, dispose": [{}, (client) => client.challengeHeaders(), (client) => client.dispose()],
      "solutions, dispose": [
        { workers: 1 },
        (client) => Promise.any([client.challengeHeaders(), client.challengeHeaders()])
          .catch(({ errors: [, last] }) => { throw last; }),
        (client) => client.dispose(),
      ],
      "fetch, dispose": [
        { getAuthToken: async () => token },
        (client) => client.fetch("/x"),
        (client) => client.dispose(),
      ],
      "token, dispose": [{ getAuthToken }, (client) => client.session(), (client) => client.dispose()],
      "token, signOut": [{ getAuthToken }, (client) => client.session(), (client) => client.signOut()],
      "token, timeout": [{ getAuthToken, timeoutMs: 200 }, (client) => client.session(), () => waiting(300)],
    };
    for (const [name, [options, call, end]] of Object.entries(calls)) {
      context = undefined;
      const one = client(options);
      const calling = call(one).catch((error) => error);
      await waiting(200);
      await end(one);
      const error = await calling;
      const { reason } = context?.signal ?? {};
      console.log([name, error?.code, error?.name, reason?.code, reason?.name].join(" "));
      one.dispose();
    }
    process.exit();
    `,
  );
  assert.deepEqual(
    stdout.trim().split("\n"),
    [
      "session, dispose disposed SaltmineError  ",
      "session, signOut aborted SaltmineError  ",
      "session, abort 20 AbortError  ",
      "solution, dispose disposed SaltmineError  ",
      "solutions, dispose disposed SaltmineError  ",
      "fetch, dispose disposed SaltmineError  ",
      "token, dispose disposed SaltmineError disposed SaltmineError",
      "token, signOut aborted SaltmineError aborted SaltmineError",
      "token, timeout auth_token_failed SaltmineError 23 TimeoutError",
    ],
    stderr,
  );
});
