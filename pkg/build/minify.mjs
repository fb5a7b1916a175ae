// esbuild's output is another 3 % smaller after terser, which tries harder.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { minify } from "terser";

const options = (isModule) => ({
  module: isModule,
  ecma: 2020,
  compress: {
    passes: 3,
    keep_fargs: false,
    unsafe_arrows: true,
    directives: false,
    inline: 1,
    unsafe_methods: true,
  },
});

/** Returns the text of a classic script, smaller. */
export const minifyScript = async (text) => withImports((await minify(text, options(false))).code);

/**
 * `importByAddress` in the sources is an `import()` that bundlers must not change. The comments that ask for this are
 * added here, since neither esbuild nor terser keeps them.
 */
const withImports = (code) =>
  code.replaceAll("importByAddress(", "import(/* webpackIgnore: true */ /* @vite-ignore */ ");

/** Minifies every script of a folder and its source map in place; `isModule` decides by the file's name. */
export async function minifyFolder(folder, isModule) {
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".js"))) {
    const path = `${folder}/${file}`;
    const content = await readFile(`${path}.map`, "utf8");
    const sourceMap = { content, filename: file, url: `${file}.map` };
    const { code, map } = await minify(await readFile(path, "utf8"), {
      ...options(isModule(file)),
      sourceMap,
    });
    await writeFile(path, withImports(code));
    await writeFile(`${path}.map`, map);
  }
}
