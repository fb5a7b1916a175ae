/** The documentation as the reference server serves it: every page in Chromium, every link, the search. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { JSDOM } from "jsdom";
import { ERROR_CODES } from "saltmine";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { root } from "../support/paths.mjs";
import { startServer } from "../support/server.mjs";

const server = await startServer({ SALTMINE_STATIC_DIR: join(root, "www", "dist") });
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await server.stop();
});
const docs = `${server.baseUrl}/docs/`;

/** Every document that links lead to from the first page: address to `{ links, ids, text, from }`. */
const documents = await crawl(docs);
const pages = [...documents.keys()].filter((url) => url.startsWith(docs) && url !== `${docs}http-api/`);

async function crawl(start) {
  const found = new Map();
  const waiting = [[start, start]];
  for (const [url, from] of waiting) {
    if (found.has(url)) continue;
    const response = await fetch(url);
    assert.equal(response.status, 200, `${url}, from ${from}`);
    const isPage = response.headers.get("content-type").startsWith("text/html");
    const { document } = new JSDOM(isPage ? await response.text() : "", { url }).window;
    const links = [...document.querySelectorAll("a[href]")].map(({ href }) => new URL(href));
    const own = links.filter(({ origin }) => origin === server.baseUrl);
    const ids = new Set([...document.querySelectorAll("[id]")].map(({ id }) => id));
    found.set(url, { links: own, ids, text: document.body.textContent });
    waiting.push(...own.map(({ origin, pathname }) => [origin + pathname, url]));
  }
  return found;
}

test("/docs is the first page", async () => {
  const response = await fetch(`${server.baseUrl}/docs`);
  assert.equal(response.url, docs);
});

describe("the links", () => {
  test("lead to every guide, the reference, the HTTP API, the benchmark and the demo", async () => {
    const guides = (await readdir(join(root, "docs"))).filter((name) => name.endsWith(".md"));
    const expected = [
      ...guides.map((name) => `docs/${name.replace(".md", ".html")}`),
      ...["saltmine", "altcha-lib", "react", "service-worker"].map((door) => `docs/api/${door}.html`),
      "docs/http-api/",
      "docs/integrity.html",
      "bench.html",
      "",
    ];
    for (const path of expected) assert.ok(documents.has(`${server.baseUrl}/${path}`), path);
  });

  test("lead to places that are there", () => {
    const lost = [];
    let anchors = 0;
    for (const [url, { links }] of documents) {
      for (const { origin, pathname, hash } of links.filter(({ hash }) => hash.length > 1)) {
        anchors += 1;
        const { ids } = documents.get(origin + pathname);
        if (!ids.has(decodeURIComponent(hash.slice(1)))) lost.push(`${url}: ${pathname}${hash}`);
      }
    }
    assert.deepEqual(lost, []);
    assert.ok(anchors > 100, `${anchors} links to places`);
  });
});

describe("the reference", () => {
  const page = (door) => documents.get(`${docs}api/${door}.html`).text;
  const source = (name) => readFile(join(root, "pkg", "src", `${name}.ts`), "utf8");

  test("names everything that saltmine and saltmine/service-worker export", async () => {
    const exported = [...(await source("index")).matchAll(/^export (?:type )?\{([^}]+)\}/gm)]
      .flatMap(([, list]) => list.split(","))
      .map((name) => name.trim().replace("type ", ""));
    assert.ok(exported.length > 15);
    for (const name of exported) {
      for (const door of ["saltmine", "service-worker"]) {
        assert.match(page(door), new RegExp(`\\b${name}\\b`), `${name} of ${door}`);
      }
    }
  });

  for (const door of ["altcha-lib", "react"]) {
    test(`names everything that saltmine/${door} exports`, async () => {
      const exported = (await source(door)).matchAll(
        /^export (?:async )?(?:function|interface|type|class) (\w+)/gm,
      );
      const names = [...exported].map(([, name]) => name);
      assert.ok(names.length >= 2);
      for (const name of names) assert.match(page(door), new RegExp(`\\b${name}\\b`), name);
    });
  }
});

test("the page on integrity has the hash of every file that a browser loads, and the version", async () => {
  const { text } = documents.get(`${docs}integrity.html`);
  const { version, files } = JSON.parse(await readFile(join(root, "pkg", "dist", "integrity.json"), "utf8"));
  assert.ok(text.includes(`of saltmine ${version},`));
  const loaded = Object.entries(files).filter(([file]) => /\.(js|wasm)$/.test(file));
  assert.ok(loaded.length > 10);
  const told = text.split(/\s+/);
  for (const [file, hash] of loaded) assert.equal(told[told.indexOf(file) + 1], hash, file);
});

describe("every page", () => {
  const screens = {
    "1280 pixels wide": { viewport: { width: 1280, height: 900 } },
    "360 pixels wide": { viewport: { width: 360, height: 720 }, isMobile: true, hasTouch: true },
  };
  for (const [name, options] of Object.entries(screens)) {
    test(`${name}: asks nobody else, keeps its own policy, and fits`, async () => {
      for (const url of pages) {
        const { page, context, complaints } = await openPage(browser, "about:blank", options);
        const foreign = [];
        page.on("request", (request) => {
          if (!request.url().startsWith(server.baseUrl)) foreign.push(request.url());
        });
        await page.goto(url);
        assert.match(await page.locator("meta[http-equiv]").getAttribute("content"), /^default-src 'none'/);
        await page.getByRole("heading", { level: 1 }).waitFor();
        const { scrollWidth, clientWidth } = await page.evaluate(() => {
          const { scrollWidth, clientWidth } = document.documentElement;
          return { scrollWidth, clientWidth };
        });
        assert.equal(scrollWidth, clientWidth, `${url} is wider than the screen`);
        assert.deepEqual(foreign, [], url);
        assert.deepEqual(complaints, [], url);
        await context.close();
      }
    });
  }
});

describe("the search", () => {
  /** Types into a box of the page; the results' titles and addresses. */
  async function search(t, path, label, query) {
    const { page, context, complaints } = await openPage(browser, docs + path);
    t.after(() => context.close());
    await page.getByRole("searchbox", { name: label }).fill(query);
    const results = page.locator(".search-results:not([hidden])");
    await results.locator("a, p").first().waitFor();
    const found = await results
      .locator("a")
      .evaluateAll((links) => links.map(({ href, firstChild }) => [firstChild.textContent, href]));
    assert.deepEqual(complaints, []);
    return { page, found };
  }

  test("finds every error code first", async (t) => {
    const { page } = await search(t, "", "Search", "network");
    for (const code of ERROR_CODES) {
      await page.getByRole("searchbox", { name: "Search" }).fill(code);
      await page.locator(".search-results a .search-title").first().getByText(code).waitFor();
    }
  });

  test("leads to the row of a code, and marks it", async (t) => {
    const { page, found } = await search(t, "api/saltmine.html", "Search", "pow_replayed");
    assert.ok(found.some(([, href]) => href === `${docs}errors.html#pow_replayed`));
    assert.equal(found[0][1], `${docs}troubleshooting.html#pow_replayed`);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(found[0][1]);
    assert.match(await page.locator("tr:target").textContent(), /^\s*pow_replayed\n/);
  });

  const symptoms = {
    "blocked worker": "blocked a worker script",
    "Creating a worker from 'http://localhost:3000/assets/worker-C2L3.js' violates the following Content Security Policy directive: \"worker-src 'none'\". The action has been blocked.":
      "Creating a worker from",
    "Failed to construct 'Worker': This document requires 'TrustedScriptURL' assignment. The action has been blocked.":
      "Failed to construct 'Worker'",
    "Content-Security-Policy: The page’s settings blocked a worker script (worker-src) at http://localhost/worker.js from being executed":
      "blocked a worker script",
    "SecurityError: The operation is insecure.": "The operation is insecure",
    "CompileError: call to WebAssembly.Module() blocked by CSP": "blocked by CSP",
    "simd128: Failed to fetch": "simd128: Failed to fetch",
    "ReferenceError: window is not defined": "window is not defined",
    "session hangs": "takes long, or seems to hang",
    "process does not end": "a process in Node does not end",
    "orign not alowed": "origin_not_allowed",
  };
  for (const [query, title] of Object.entries(symptoms)) {
    test(`by symptom: ${query}`, async (t) => {
      const { found } = await search(t, "troubleshooting.html", /^What do you see/, query);
      const [[first, href]] = found;
      assert.ok(first.includes(title), `${first} is the first of ${found.length}`);
      assert.ok(href.startsWith(`${docs}troubleshooting.html#`), href);
    });
  }

  test("knows the policy by its short name", async (t) => {
    const { found } = await search(t, "", "Search", "csp");
    assert.ok(found.some(([, href]) => href === `${docs}content-security-policy.html`));
  });

  test("says when there is nothing", async (t) => {
    const { page, found } = await search(t, "client.html", "Search", "xylophone");
    assert.deepEqual(found, []);
    await page.getByRole("status").getByText("Nothing was found.").first().waitFor();
  });
});
