/** A runtime that lacks a global: the error names it, and blames neither the server nor the package. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { installTarball, runNode } from "../support/tarball.mjs";

const { folder, remove } = await installTarball();
after(remove);

for (const name of ["URL", "TextDecoder", "atob"]) {
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
