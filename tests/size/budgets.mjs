/** Bytes, at most. `npm test` fails over any of them, and so does `npm run size`. */
export const BUDGETS = {
  /** What the package's own files weigh where they are served as they are. */
  firstLoadGzip: 26_000,
  javascriptGzip: 24_000,
  kernelsRaw: 24_000,
  /** What an import weighs in a bundle, gzip: its entry, and all that is loaded before the search starts. */
  scenarios: {
    createClient: { entry: 8_800, firstLoad: 26_000 },
    solve: { entry: 4_600, firstLoad: 23_600 },
    "saltmine/altcha-lib": { entry: 4_900, firstLoad: 23_900 },
    "saltmine/react": { entry: 9_400, firstLoad: 26_600 },
  },
};
