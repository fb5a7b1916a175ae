/**
 * Finds promises that nothing awaits, whose errors are lost, and library functions that the oldest supported browsers do not
 * have; tsc and Prettier check everything else.
 *
 * typescript-eslint does not support TypeScript 7, which the code is built with (it needs `>=4.8.4 <6.1.0`). So this
 * folder is an npm package of its own with an older TypeScript; `npm run lint` and `npm test` install it.
 */
import { fileURLToPath } from "node:url";
import tseslint from "typescript-eslint";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Functions that are newer than `WEB_TARGET` in pkg/build.mjs, for which esbuild adds no polyfill: by their object, and those
 * of arrays and strings by their name. An optional call, which skips a missing function, is allowed.
 */
const NEWER_FUNCTIONS = {
  AbortSignal: ["any", "timeout"],
  Array: ["fromAsync"],
  Map: ["groupBy"],
  Object: ["groupBy", "hasOwn"],
  Promise: ["try", "withResolvers"],
  Response: ["json"],
  URL: ["canParse", "parse"],
  crypto: ["randomUUID"],
};
const NEWER_METHODS = [
  ...["at", "findLast", "findLastIndex", "isWellFormed", "throwIfAborted"],
  ...["toReversed", "toSorted", "toSpliced", "toWellFormed", "with"],
];

const newer = (callee) => ({
  selector: `CallExpression[optional=false]${callee}`,
  message: "The oldest supported browsers do not have this function.",
});
const newerFunctions = [
  newer("[callee.name='structuredClone']"),
  newer(`[callee.property.name=/^(${NEWER_METHODS.join("|")})$/]`),
  ...Object.entries(NEWER_FUNCTIONS).flatMap(([object, names]) => {
    const property = `[callee.property.name=/^(${names.join("|")})$/]`;
    return [
      newer(`${property}[callee.object.name='${object}']`),
      newer(`${property}[callee.object.property.name='${object}']`),
    ];
  }),
];

const promises = {
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
};

export default tseslint.config(promises, {
  basePath: root,
  files: ["pkg/src/**/*.ts"],
  rules: { "no-restricted-syntax": ["error", ...newerFunctions] },
});
