/** Bytes, at most: 5 % more than was reached. `npm test` fails over any of them, and so does `npm run size`. */
export const BUDGETS = {
  /** The sizes of the package's own files where they are served without a bundler, in bytes. */
  firstLoadGzip: 43_500,
  javascriptGzip: 42_100,
  /** The modules of version 2, with SIMD. */
  keyModulesGzip: { "kdf-sha": 12_400, "kdf-scrypt": 9_500, "kdf-argon2id": 9_300 },
  /** The one-file entry point, with both engines in it. */
  inlineGzip: 115_300,
  /** The size of an import in a bundle, gzip: its entry, and all that is loaded before the search starts. */
  scenarios: {
    createClient: { entry: 11_950, firstLoad: 43_550 },
    solve: { entry: 5_820, firstLoad: 39_400 },
    "saltmine/altcha-lib": { entry: 6_300, firstLoad: 39_850 },
    "saltmine/react": { entry: 12_500, firstLoad: 44_100 },
  },
};
