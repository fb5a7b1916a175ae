/** Builds the documentation: Markdown and the package's types to static pages in www/dist/docs. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { render } from "./markdown.mjs";
import { readPages } from "./pages.mjs";
import { frame } from "./template.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));
const site = join(root, "www", "dist", "docs");

await rm(site, { recursive: true, force: true });
const menu = await readPages();
const pages = menu.flatMap(({ entries }) => entries.filter(({ source }) => source));
const pageOf = new Map(pages.map((page) => [page.source, page]));

/** Links to check once every page is there. */
const links = [];
const pictures = new Map();
for (const page of pages)
  Object.assign(
    page,
    render(page.text, (href) => resolve(page, href)),
  );
const lost = links.filter(({ to, id }) => id && !to.ids.has(id));
if (lost.length > 0) {
  const list = lost.map(({ from, href }) => `${from.source}: ${href}`).join("\n");
  throw new Error(`The documentation has links that lead nowhere:\n${list}`);
}

const records = pages.flatMap(({ file, title, records }) =>
  records.map(({ id, ...record }) => ({ url: id ? `${file}#${id}` : file, page: title, ...record })),
);
const assets = {
  ...(await bundle()),
  mark: await addAsset("mark.svg", await readFile(join(root, "www", "src", "mark.svg"))),
  theme: await addAsset("theme.js", await readFile(join(root, "www", "public", "theme.js"))),
  records: await addAsset("records.json", JSON.stringify(records)),
};
for (const [path, content] of pictures) await write(path, content);
for (const page of pages) {
  const description = page.records[0].text.slice(0, 160) || page.title;
  await write(page.file, frame({ page: { ...page, description }, menu, assets }));
}

/** Where a link of a source leads on the site. What is neither a page nor a picture is a mistake. */
function resolve(from, href) {
  if (/^[a-z]+:/i.test(href)) return href;
  const [path, id] = href.split("#");
  const source = path ? posix.join(posix.dirname(from.source), path) : from.source;
  const relative = (file) => posix.relative(posix.dirname(from.file), file);
  if ([".png", ".svg"].includes(extname(source))) {
    const content = readFileSync(join(root, source));
    const path = assetPath(source, content);
    pictures.set(path, content);
    return relative(path);
  }
  const to = pageOf.get(source);
  if (!to) throw new Error(`${from.source}: ${href} is not in the documentation`);
  links.push({ from, to, id, href });
  return `${to === from ? "" : relative(to.file)}${id ? `#${id}` : ""}`;
}

/** A file in the site's folder. */
async function write(name, content) {
  await mkdir(dirname(join(site, name)), { recursive: true });
  await writeFile(join(site, name), content);
}

/** With the hash of the content in its name: such a file may be kept for ever. */
function assetPath(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8);
  return `assets/${basename(name, extname(name))}-${hash}${extname(name)}`;
}

async function addAsset(name, content) {
  const path = assetPath(name, content);
  await write(path, content);
  return path;
}

/** The one script and the one style of all pages. */
async function bundle() {
  const { metafile } = await build({
    absWorkingDir: here,
    entryPoints: [
      { in: "src/main.ts", out: "docs" },
      { in: "src/style/index.css", out: "docs" },
    ],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    outdir: join(site, "assets"),
    entryNames: "[name]-[hash]",
    metafile: true,
    logLevel: "warning",
  });
  const paths = Object.keys(metafile.outputs).map((path) => `assets/${basename(path)}`);
  const ending = (end) => paths.find((path) => path.endsWith(end));
  return { script: ending(".js"), style: ending(".css") };
}
