/** The pages in their order: what each is made of, where it goes, and what the menu calls it. */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { INTEGRITY, readIntegrity } from "./integrity.mjs";
import { DOORS, readReference } from "./reference.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

const guide = (name, label) => ({ source: `docs/${name}.md`, file: `${name}.html`, label });

/** Links of the menu alone have an `href`, from the site's own folder. */
const GROUPS = [
  {
    title: "Start",
    entries: [
      { source: "README.md", file: "index.html", label: "Overview" },
      guide("quick-start", "Quick start"),
      { href: "../", label: "Demo" },
    ],
  },
  {
    title: "Guides",
    entries: [
      guide("client", "The client"),
      guide("react", "React"),
      guide("streaming-chat", "Streaming chat"),
      guide("solving", "Solving a challenge yourself"),
      guide("your-own-backend", "Your own backend"),
      guide("moving", "Moving to saltmine"),
      guide("bundlers", "Bundlers and tests"),
      guide("content-security-policy", "Content security policy"),
      guide("apps", "Apps and credentials"),
      guide("self-hosting-inkeep-widgets", "Self-hosting for Inkeep widgets"),
      guide("production", "Running in production"),
      guide("how-it-works", "How it works"),
      guide("threat-model", "Threat model"),
    ],
  },
  {
    title: "Help",
    entries: [
      guide("troubleshooting", "Troubleshooting"),
      guide("faq", "Frequently asked questions"),
      guide("errors", "Error codes"),
      guide("limits", "Limits"),
    ],
  },
  {
    title: "Reference",
    entries: [
      ...DOORS.map(({ name, source, file }) => ({ source, file, label: name, isCode: true })),
      guide("http-reference", "HTTP reference"),
      { href: "http-api/", label: "HTTP API (interactive)" },
      INTEGRITY,
    ],
  },
  {
    title: "Project",
    entries: [
      guide("benchmarks", "Benchmarks"),
      { href: "../bench.html", label: "Benchmark page" },
      guide("versions", "Versions"),
      { source: "CHANGELOG.md", file: "changelog.html", label: "Changelog" },
      { source: "CONTRIBUTING.md", file: "contributing.html", label: "Contributing" },
      { source: "fuzz/README.md", file: "fuzzing.html", label: "Fuzzing" },
      { source: "SECURITY.md", file: "security.html", label: "Security" },
    ],
  },
];

/** The menu with every page's text. */
export async function readPages() {
  const made = new Map([...(await readReference()), [INTEGRITY.source, await readIntegrity()]]);
  const known = new Set(GROUPS.flatMap(({ entries }) => entries.map(({ source }) => source)));
  // A guide that nobody has put into its place yet is there all the same.
  const others = (await readdir(`${root}docs`)).filter(
    (name) => name.endsWith(".md") && !known.has(`docs/${name}`),
  );
  return Promise.all(
    GROUPS.map(async ({ title, entries }) => {
      const more = title === "Guides" ? others.map((name) => guide(name.slice(0, -3))) : [];
      const read = [...entries, ...more].map(async (entry) => ({
        ...entry,
        text: entry.source && (made.get(entry.source) ?? (await readFile(`${root}${entry.source}`, "utf8"))),
      }));
      return { title, entries: await Promise.all(read) };
    }),
  );
}
