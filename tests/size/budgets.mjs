/** Bytes, at most: 5 % more than was reached. `npm test` fails over any of them, and so does `npm run size`. */
export const BUDGETS = {
  /** The sizes of the package's own files where they are served without a bundler, in bytes. */
  firstLoadGzip: 44_600,
  javascriptGzip: 42_100,
  /** The modules of version 2, with SIMD. */
  keyModulesGzip: { "kdf-sha": 12_400, "kdf-scrypt": 9_500, "kdf-argon2id": 9_300 },
  /** The one-file entry point, with both engines in it. */
  inlineGzip: 116_900,
  /** The size of an import in a bundle, gzip: its entry, and all that is loaded before the search starts. */
  scenarios: {
    createClient: { entry: 12_800, firstLoad: 44_600 },
    solve: { entry: 6_090, firstLoad: 39_900 },
    "saltmine/altcha-lib": { entry: 6_590, firstLoad: 40_400 },
    "saltmine/react": { entry: 13_400, firstLoad: 45_200 },
  },
};
