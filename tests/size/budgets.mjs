/** Bytes, at most: 5 % more than was reached. `npm test` fails over any of them, and so does `npm run size`. */
export const BUDGETS = {
  /** The sizes of the package's own files where they are served without a bundler, in bytes. */
  firstLoadGzip: 45_300,
  javascriptGzip: 42_100,
  /** The modules of version 2, with SIMD. */
  keyModulesGzip: { "kdf-sha": 12_400, "kdf-scrypt": 9_500, "kdf-argon2id": 9_300 },
  /** The one-file entry point, with both engines in it. */
  inlineGzip: 118_700,
  /** The size of an import in a bundle, gzip: its entry, and all that is loaded before the search starts. */
  scenarios: {
    createClient: { entry: 13_500, firstLoad: 45_300 },
    solve: { entry: 6_650, firstLoad: 40_400 },
    "saltmine/altcha-lib": { entry: 7_140, firstLoad: 40_900 },
    "saltmine/react": { entry: 14_200, firstLoad: 46_000 },
  },
};
