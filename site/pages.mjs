/** The pages in the order of the menu: the source of each, its file on the site, and its label in the menu. */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { INTEGRITY, readIntegrity } from "./integrity.mjs";
import { ENTRY_POINTS, readReference } from "./reference.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

const guide = (name, label) => ({ source: `docs/${name}.md`, file: `${name}.html`, label });

/** An entry that is only a link has an `href`, relative to the folder of the site. */
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
      ...ENTRY_POINTS.map(({ name, source, file }) => ({ source, file, label: name, isCode: true })),
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

/** Returns the menu; each entry that is a page has its Markdown in `text`. */
export async function readPages() {
  const generated = new Map([...(await readReference()), [INTEGRITY.source, await readIntegrity()]]);
  const known = new Set(GROUPS.flatMap(({ entries }) => entries.map(({ source }) => source)));
  // A document that is not in the list above becomes a guide.
  const others = (await readdir(`${root}docs`)).filter(
    (name) => name.endsWith(".md") && !known.has(`docs/${name}`),
  );
  return Promise.all(
    GROUPS.map(async ({ title, entries }) => {
      const more = title === "Guides" ? others.map((name) => guide(name.slice(0, -3))) : [];
      const read = [...entries, ...more].map(async (entry) => ({
        ...entry,
        text:
          entry.source && (generated.get(entry.source) ?? (await readFile(`${root}${entry.source}`, "utf8"))),
      }));
      return { title, entries: await Promise.all(read) };
    }),
  );
}
