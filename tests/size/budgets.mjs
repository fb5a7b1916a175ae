/** Bytes, at most. `npm test` fails over any of them, and so does `npm run size`. */
export const BUDGETS = {
  /** What the package's own files weigh where they are served as they are. */
  firstLoadGzip: 24_000,
  javascriptGzip: 24_000,
  kernelsRaw: 24_000,
  /** What an import weighs in a bundle, gzip: its entry, and all that is loaded before the search starts. */
  scenarios: {
    createClient: { entry: 7_400, firstLoad: 24_000 },
    solve: { entry: 4_100, firstLoad: 22_700 },
    "saltmine/altcha-lib": { entry: 4_400, firstLoad: 23_000 },
    "saltmine/react": { entry: 8_000, firstLoad: 24_600 },
  },
};
