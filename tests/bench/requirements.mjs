/** The requirements on every machine, by browser. */

/** Each a ratio of `measureHashRates`: at least this. */
const RATIOS = [
  { ours: "simd128", theirs: "altcha-lib", least: { chromium: 140 } },
  { ours: "simd128", theirs: "pow-buster", least: { chromium: 1.35, firefox: 1.25, webkit: 1.15 } },
  { ours: "simd128", theirs: "cap.js", least: { chromium: 4.5 } },
  { ours: "scalar", theirs: "cap.js", least: { chromium: 2 } },
  { ours: "javascript", theirs: "altcha-lib", least: { chromium: 25 } },
  { ours: "simd128, 70 bytes", theirs: "simd128", least: { chromium: 0.7 } },
  { ours: "simd128, 100 bytes", theirs: "simd128", least: { chromium: 0.7 } },
  { ours: "simd128, 130 bytes", theirs: "simd128", least: { chromium: 0.7 } },
];
const SLOWEST_LENGTH = { chromium: 0.35 };
const TWO_WORKERS = { chromium: 1.9 };
const MOST_OF_WIDGET = 0.4;
/** Responses that follow each other from navigation to the token. */
const MOST_SERIAL = 4.4;
/** The same with a challenge of version 2. */
const MOST_SERIAL_2 = { "saltmine, version 2": 5.4, "saltmine, version 2 known": 4.4 };
/** Of the newer widget's time where the service has another origin and each response takes 600 ms. */
const MOST_OF_WIDGET_3_OTHER_ORIGIN = [
  ["saltmine, other origin", "altcha widget 3, other origin", 0.85],
  ["saltmine, version 2 known, other origin", "altcha widget 3, version 2, other origin", 0.95],
];
/** Of the newer widget's time with such a challenge, where its version is known and each response takes 600 ms. */
const MOST_OF_WIDGET_3_DELAYED = 1.05;
/** Of the widget's time, by the delay of each response in milliseconds. */
const MOST_OF_WIDGET_DELAYED = { 100: 0.5, 600: 0.88 };

const digits = (value) => value.toFixed(value < 20 ? 2 : 0);

/**
 * Sentences `{ holds, text }` on one browser's `{ hash, lengths, workers }`, each where it was measured; what has no
 * bound there holds `undefined`.
 */
export function judge(browser, { hash, lengths, workers }) {
  const verdicts = [];
  const atLeast = (value, least, text) =>
    verdicts.push({
      holds: least === undefined ? undefined : value >= least,
      text: `${text}${least === undefined ? "" : `, at least ${least}`}`,
    });
  for (const { ours, theirs, least } of hash ? RATIOS : []) {
    const { median } = hash.ratios[`${ours} / ${theirs}`];
    atLeast(median, least[browser], `${ours} is ${digits(median)} times ${theirs}`);
  }
  for (const { length, digits: count, ratio } of lengths ? lengths.byDigits : []) {
    const cell = `${count} digit${count === 1 ? "" : "s"}: the slowest salt, of ${length} bytes, is ${digits(ratio.median)} of 44 bytes`;
    atLeast(ratio.median, SLOWEST_LENGTH[browser], cell);
  }
  if (workers) {
    const { median } = workers.ratio;
    atLeast(median, TWO_WORKERS[browser], `two workers are ${digits(median)} times one`);
  }
  return verdicts;
}

/** The same on the cold starts. */
export function judgeColdStarts({ ms }) {
  const share = ms.saltmine.median / ms["altcha widget"].median;
  return [
    {
      holds: share <= MOST_OF_WIDGET,
      text: `a cold start takes ${digits(share)} of the widget's, at most ${MOST_OF_WIDGET}`,
    },
  ];
}

/** The same where every response is delayed. */
export function judgeDelayed({ ms, serial }) {
  const responses = serial.saltmine;
  return [
    {
      holds: responses <= MOST_SERIAL,
      text: `a token takes ${digits(responses)} serial responses, at most ${MOST_SERIAL}`,
    },
    ...Object.entries(MOST_SERIAL_2).map(([name, most]) => ({
      holds: serial[name] <= most,
      text: `${name}: a token takes ${digits(serial[name])} serial responses, at most ${most}`,
    })),
    ofWidget3(ms),
    ...MOST_OF_WIDGET_3_OTHER_ORIGIN.map(([ours, theirs, most]) => {
      const share = ms[ours][600].median / ms[theirs][600].median;
      return {
        holds: share <= most,
        text: `${ours}, with 600 ms a response takes ${digits(share)} of the newer widget's time, at most ${most}`,
      };
    }),
    ...Object.entries(MOST_OF_WIDGET_DELAYED).map(([delayMs, most]) => {
      const share = ms.saltmine[delayMs].median / ms["altcha widget"][delayMs].median;
      return {
        holds: share <= most,
        text: `with ${delayMs} ms a response it takes ${digits(share)} of the widget's time, at most ${most}`,
      };
    }),
  ];
}

function ofWidget3(ms) {
  const share = ms["saltmine, version 2 known"][600].median / ms["altcha widget 3, version 2"][600].median;
  return {
    holds: share <= MOST_OF_WIDGET_3_DELAYED,
    text: `version 2 with 600 ms a response takes ${digits(share)} of the newer widget's time, at most ${MOST_OF_WIDGET_3_DELAYED}`,
  };
}
