/** Builds the documentation: Markdown and the package's types to static pages in www/dist/docs. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { extname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { build, normalizePath } from "vite";
import { render } from "./markdown.mjs";
import { readPages } from "./pages.mjs";
import { pageHtml } from "./template.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));

const menu = await readPages();
const pages = menu.flatMap(({ entries }) => entries.filter(({ source }) => source));
const pageOf = new Map(pages.map((page) => [page.source, page]));

/** Links with a fragment, which can be checked only after all pages are rendered. */
const links = [];
for (const page of pages)
  Object.assign(
    page,
    render(page.text, (href) => resolve(page, href)),
  );
const broken = links.filter(({ to, id }) => id && !to.ids.has(id));
if (broken.length > 0) {
  const list = broken.map(({ from, href }) => `${from.source}: ${href}`).join("\n");
  throw new Error(`The documentation has links to headings that do not exist:\n${list}`);
}

// src/search.ts imports the address of this file.
const entries = pages.flatMap(({ file, title, searchEntries }) =>
  searchEntries.map(({ id, ...entry }) => ({ url: id ? `${file}#${id}` : file, page: title, ...entry })),
);
await mkdir(join(root, ".cache", "search"), { recursive: true });
await writeFile(join(root, ".cache", "search", "entries.json"), JSON.stringify(entries));

/** The documents by the path that they would have in this folder, where Vite looks for them. */
const documents = new Map(
  pages.map((page) => {
    const description = page.searchEntries[0].text.slice(0, 160) || page.title;
    return [normalizePath(join(here, page.file)), pageHtml({ page: { ...page, description }, menu })];
  }),
);

// Standard output belongs to the command that runs this file.
console.log = console.info = console.error;

await build({
  configFile: false,
  root: here,
  base: "./",
  publicDir: join(root, "www", "public"),
  logLevel: "warn",
  plugins: [
    {
      name: "saltmine-documents",
      enforce: "pre",
      resolveId: (id) => (documents.has(id) ? id : undefined),
      load: (id) => documents.get(id),
    },
  ],
  build: {
    outDir: join(root, "www", "dist", "docs"),
    emptyOutDir: true,
    // The policy of the pages allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: [...documents.keys()] },
  },
});

/** Returns the address on the site for a link of a source. Throws if the target is neither a page nor a picture. */
function resolve(from, href) {
  if (/^[a-z]+:/i.test(href)) return href;
  const [path, id] = href.split("#");
  const source = path ? posix.join(posix.dirname(from.source), path) : from.source;
  const folder = posix.dirname(from.file);
  // Vite copies the picture and replaces this path.
  if ([".png", ".svg"].includes(extname(source))) {
    if (!existsSync(join(root, source))) throw new Error(`${from.source}: ${href} does not exist`);
    return posix.relative(posix.join("site", folder), source);
  }
  const to = pageOf.get(source);
  if (!to) throw new Error(`${from.source}: ${href} is not in the documentation`);
  links.push({ from, to, id, href });
  return `${to === from ? "" : posix.relative(folder, to.file)}${id ? `#${id}` : ""}`;
}
