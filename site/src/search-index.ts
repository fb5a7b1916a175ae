/** What the search finds: sections, and rows of tables that list things. */
import MiniSearch from "minisearch";

/** As the build writes it. */
export interface Entry {
  /** From the site's folder. */
  url: string;
  page: string;
  title: string;
  /** The headings above it, without the page's. */
  under: string[];
  text: string;
}

export interface Found extends Entry {
  /** The words of it that were asked for. */
  terms: string[];
}

const MOST_FOUND = 12;

/** Where one looks things up rather than reads on: what to do comes first, then what the code says of itself. */
const weight = (url: string): number => {
  if (url.startsWith("troubleshooting.html")) return 4;
  return url.startsWith("errors.html#") ? 2 : 1;
};

/** Words; what is written as one word, as `pow_replayed`, is found whole and in parts. */
export function words(text: string): string[] {
  const whole = text.split(/[^\p{L}\p{N}_]+/u).filter(Boolean);
  return whole.flatMap((word) => (word.includes("_") ? [word, ...word.split("_").filter(Boolean)] : word));
}

/** An index of all entries; the function that searches it. */
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
    // A message that was pasted has words that no page has; a word may be misspelt.
    const found = exact.length > 0 ? exact : index.search(query, { prefix: isLong, fuzzy: fuzziness });
    return found.slice(0, MOST_FOUND) as unknown as Found[];
  };
}

const isLong = (term: string): boolean => term.length > 3;
const fuzziness = (term: string): number | false => (term.length > 4 ? 0.2 : false);
