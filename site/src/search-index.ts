/** The search index of sections and of table rows. */
import MiniSearch from "minisearch";

/** An entry of the index, as the build writes it. */
export interface Entry {
  /** Relative to the folder of the site. */
  url: string;
  page: string;
  title: string;
  /** The headings above it, without the title of the page. */
  under: string[];
  text: string;
}

export interface Found extends Entry {
  /** Its words that match the query. */
  terms: string[];
}

const MAX_RESULTS = 12;

/** Pages with solutions rank first, then the list of error codes. */
const weight = (url: string): number => {
  if (url.startsWith("troubleshooting.html")) return 4;
  return url.startsWith("errors.html#") ? 2 : 1;
};

/** Splits a text into words. A word with underscores, such as `pow_replayed`, is also split into its parts. */
export function words(text: string): string[] {
  const whole = text.split(/[^\p{L}\p{N}_]+/u).filter(Boolean);
  return whole.flatMap((word) => (word.includes("_") ? [word, ...word.split("_").filter(Boolean)] : word));
}

/** Builds the index and returns the function that searches it. */
export function indexOf(entries: Entry[]): (query: string) => Found[] {
  const index = new MiniSearch<Entry>({
    idField: "url",
    fields: ["title", "under", "page", "text"],
    storeFields: ["url", "page", "title", "under", "text"],
    tokenize: words,
    searchOptions: {
      boost: { title: 4, under: 2 },
      boostDocument: weight,
    },
  });
  index.addAll(entries);
  return (query) => {
    const exact = index.search(query, { combineWith: "AND", prefix: true });
    // A pasted message has words that no page has, and a word can be misspelt.
    const found = exact.length > 0 ? exact : index.search(query, { prefix: isLong, fuzzy: fuzziness });
    return found.slice(0, MAX_RESULTS) as unknown as Found[];
  };
}

const isLong = (term: string): boolean => term.length > 3;
const fuzziness = (term: string): number | false => (term.length > 4 ? 0.2 : false);
