/** The package's declarations in strict programs, with and without the DOM's library, from TypeScript 5.4 to the newest. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { installTarball } from "../support/tarball.mjs";
import { installProject, runIn } from "./project.mjs";

const { tarball, remove } = await installTarball();
after(remove);

const STRICT = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  // TypeScript's own libraries, which take most of the time. Ours are checked.
  skipDefaultLibCheck: true,
  target: "es2022",
  module: "esnext",
  moduleResolution: "bundler",
  jsx: "react-jsx",
};

/** Programs: the files, their libraries, and the packages with global types. */
const PROGRAMS = {
  "without the DOM": [["consumer.ts"], ["es2022"], []],
  "without the DOM, in Node": [["consumer.ts"], ["es2022"], ["node"]],
  "with the DOM": [["consumer.ts", "browser.ts"], ["es2022", "dom"], []],
  "with the newest libraries": [["consumer.ts", "browser.ts"], ["esnext", "dom", "dom.iterable"], []],
  "a classic script, without the DOM": [["saltmine-script.ts"], ["es2022"], []],
  "a classic script, with the DOM": [["saltmine-script.ts"], ["es2022", "dom"], []],
  "the one-file script, without the DOM": [["inline-script.ts"], ["es2022"], []],
  "the one-file script, with the DOM": [["inline-script.ts"], ["es2022", "dom"], []],
  "with React": [["react.tsx"], ["es2022", "dom"], ["react"]],
};

test("the declarations compile", async (t) => {
  const folder = await installProject(t, "types", tarball);
  for (const version of ["typescript-5.4", "typescript-5.9", "typescript"])
    for (const [what, [files, lib, types]] of Object.entries(PROGRAMS))
      await t.test(`${what}, ${version}`, async () => {
        const config = { compilerOptions: { ...STRICT, lib, types }, files };
        await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
        await runIn(folder, process.execPath, [`node_modules/${version}/bin/tsc`, "--project", "."]);
      });
});
