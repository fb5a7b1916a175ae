/**
 * Finds promises that nothing awaits, whose errors are lost; tsc and Prettier check everything else.
 *
 * typescript-eslint does not support TypeScript 7, which the code is built with (it needs `>=4.8.4 <6.1.0`). So this
 * folder is an npm package of its own with an older TypeScript; `npm run lint` and `npm test` install it.
 */
import { fileURLToPath } from "node:url";
import tseslint from "typescript-eslint";

const root = fileURLToPath(new URL("../..", import.meta.url));

export default tseslint.config({
  basePath: root,
  files: ["{pkg,www,site}/src/**/*.ts", "{pkg,www,site}/*.mjs", "pkg/build/*.mjs"],
  plugins: { "@typescript-eslint": tseslint.plugin },
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: {
      project: ["{pkg,www,site}/tsconfig.json", "tools/lint/tsconfig.json"],
      tsconfigRootDir: root,
    },
  },
  linterOptions: { reportUnusedDisableDirectives: "error" },
  rules: {
    "@typescript-eslint/no-floating-promises": "error",
    "@typescript-eslint/no-misused-promises": "error",
  },
});
