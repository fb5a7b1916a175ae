/** Bytes, at most. `npm test` fails over any of them, and so does `npm run size`. */
export const BUDGETS = {
  /** What the package's own files weigh where they are served as they are. */
  firstLoadGzip: 42_500,
  javascriptGzip: 42_000,
  /** The modules of version 2, with SIMD. */
  keyModulesGzip: { "kdf-sha": 12_400, "kdf-scrypt": 9_700, "kdf-argon2id": 9_400 },
  /** The one-file entry point, with both engines in it. */
  inlineGzip: 111_700,
  /** What an import weighs in a bundle, gzip: its entry, and all that is loaded before the search starts. */
  scenarios: {
    createClient: { entry: 11_300, firstLoad: 42_800 },
    solve: { entry: 5_600, firstLoad: 40_600 },
    "saltmine/altcha-lib": { entry: 6_300, firstLoad: 41_000 },
    "saltmine/react": { entry: 11_850, firstLoad: 43_400 },
  },
};
