/** Bytes, at most. `npm test` fails over any of them, and so does `npm run size`. */
export const BUDGETS = {
  /** What the package's own files weigh where they are served as they are. */
  firstLoadGzip: 26_000,
  javascriptGzip: 24_000,
  /** The modules of version 2, with SIMD. */
  keyModulesGzip: { "kdf-sha": 12_400, "kdf-scrypt": 9_700, "kdf-argon2id": 9_400 },
  /** The one-file entry point, with both engines in it. */
  inlineGzip: 60_000,
  /** What an import weighs in a bundle, gzip: its entry, and all that is loaded before the search starts. */
  scenarios: {
    createClient: { entry: 9_200, firstLoad: 26_000 },
    solve: { entry: 5_200, firstLoad: 24_900 },
    "saltmine/altcha-lib": { entry: 5_900, firstLoad: 25_100 },
    "saltmine/react": { entry: 9_700, firstLoad: 26_600 },
  },
};
