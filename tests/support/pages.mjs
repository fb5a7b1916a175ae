/**
 * Pages that are measured, all alike: each does its work on load and then sets `globalThis.done` to
 * `{ at, ... }`, milliseconds since the navigation began. One server has the pages, the files and the service.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { APP_ID, right, startService } from "./service.mjs";
import { BLANK_PAGE, readAnswer } from "./static.mjs";

const require = createRequire(import.meta.url);

/** Ours: the packed package, from nothing to a session. */
const saltminePage = (entryPoint, options = "") => `${BLANK_PAGE}
<script type="module">
  import { createClient } from "${entryPoint}";
  const client = createClient({
    baseUrl: location.origin,
    appId: "${APP_ID}",${options}
    onEvent: (event) => event.type === "ready" && (globalThis.ready = event),
  });
  try {
    const { token } = await client.session();
    globalThis.done = { at: performance.now(), token, backend: ready.backend, hashes: ready.hashes };
  } catch (error) {
    globalThis.done = { failed: error.message };
  }
</script>`;

/** The widget that sites use today, in the smaller of its two builds, from nothing to its verified state. */
const widgetPage = `${BLANK_PAGE}
<script defer src="/altcha/altcha.umd.cjs"></script>
<altcha-widget challengeurl="/run/auth/challenge" auto="onload"></altcha-widget>
<script>
  document.querySelector("altcha-widget").addEventListener("statechange", ({ detail }) => {
    if (detail.state === "verified") globalThis.done = { at: performance.now(), payload: detail.payload };
    if (detail.state === "error") globalThis.done = { failed: "the widget's state is error" };
  });
</script>`;

/** The same widget, and the request for a session with its solution. */
const widgetSessionPage = widgetPage.replace(
  'if (detail.state === "verified") globalThis.done = { at: performance.now(), payload: detail.payload };',
  `if (detail.state === "verified") {
      const headers = { "X-Inkeep-Challenge-Solution": detail.payload };
      fetch("/run/auth/apps/${APP_ID}/anonymous-session", { method: "POST", headers })
        .then((response) => response.json())
        .then(({ token }) => { globalThis.done = { at: performance.now(), token, payload: detail.payload }; });
    }`,
);

/** The widget of the newer generation, without its minimum duration of 500 ms, and the same request. */
const widget3SessionPage = widgetSessionPage
  .replace("/altcha/altcha.umd.cjs", "/altcha-3/main/altcha.umd.min.cjs")
  .replace("challengeurl=", `configuration='{"minDuration":0}' challenge=`);

/** The same pages with the service on another origin, as an embedded widget has it: the name is another, the server is not. */
const onOtherOrigin = (page) =>
  page
    .replace("location.origin", 'location.origin.replace("127.0.0.1", "localhost")')
    .replace('fetch("/run/', 'fetch(location.origin.replace("127.0.0.1", "localhost") + "/run/')
    .replace(
      /<altcha-widget.*<\/altcha-widget>/,
      `<script>
  const element = \`$&\`.replace('="/run/', \`="\${location.origin.replace("127.0.0.1", "localhost")}/run/\`);
  document.write(element);
</script>`,
    );

/** A flow by hand, whose script and worker are further files. */
const altchaLibPage = `${BLANK_PAGE}
<script>globalThis.appId = "${APP_ID}"</script>
<script type="module" src="/altcha-lib.js"></script>`;

/** Ours, with the lines that let the browser request the files before the script runs. */
const preloadingPage = (entryPoint) =>
  saltminePage(entryPoint).replace(
    "<script",
    `<link rel="modulepreload" href="${entryPoint}">
<link rel="modulepreload" href="/saltmine/worker.js">
<link rel="preload" as="fetch" crossorigin href="/saltmine/simd128.wasm">
<script`,
  );

/** The floor: a worker and the same two requests, and no work. */
const barePage = `${BLANK_PAGE}
<script type="module">
  const worker = new Worker("/bare-worker.js", { type: "module" });
  worker.onmessage = ({ data }) => { globalThis.done = { at: performance.now(), token: data }; };
</script>`;

const bareWorker = `
  await (await fetch("/run/auth/challenge")).json();
  const response = await fetch("/run/auth/apps/${APP_ID}/anonymous-session", { method: "POST" });
  self.postMessage((await response.json()).token);`;

/**
 * Serves the pages for an installed package; `folders` and `files` are further ones, `headers` go with all of them. Each
 * response is delayed by `delayMs`.
 */
export function servePages(
  { dist, entryPoints },
  routes,
  { folders = {}, files = {}, headers = {}, delayMs = 0 } = {},
) {
  const delayed =
    (respond) =>
    async (...about) => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      return respond(...about);
    };
  const site = {
    folders: { "/saltmine/": dist, "/altcha/": dirname(require.resolve("altcha")), ...folders },
    files: {
      "/": saltminePage(entryPoints.web),
      "/preloading": preloadingPage(entryPoints.web),
      "/version-2": saltminePage(entryPoints.web, " challengeVersion: 2,"),
      "/other-origin": onOtherOrigin(saltminePage(entryPoints.web)),
      "/other-origin/version-2": onOtherOrigin(saltminePage(entryPoints.web, " challengeVersion: 2,")),
      "/other-origin/widget-3-session": onOtherOrigin(widget3SessionPage),
      "/widget": widgetPage,
      "/widget-session": widgetSessionPage,
      "/widget-3-session": widget3SessionPage,
      "/altcha-lib": altchaLibPage,
      "/bare": barePage,
      "/bare-worker.js": bareWorker,
      ...files,
    },
  };
  const delayedRoutes = Object.fromEntries(
    Object.entries({ preflight: right.preflight, ...routes }).map(([name, respond]) => [
      name,
      delayed(respond),
    ]),
  );
  return startService(delayedRoutes, {
    otherwise: delayed(async (path) => ({ ...(await readAnswer(path, site)), headers })),
  });
}

/** Opens one of them and waits for what it says. */
export async function untilDone(page, url, limitMs = 60_000) {
  await page.goto(url, { waitUntil: "commit" });
  const handle = await page.waitForFunction(() => globalThis.done, undefined, {
    timeout: limitMs,
    polling: 20,
  });
  const done = await handle.jsonValue();
  if (done.failed) throw new Error(`${url}: ${done.failed}`);
  return done;
}
