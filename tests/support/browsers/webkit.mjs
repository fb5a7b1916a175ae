/** WebKitGTK's own small browser, by its WebDriver. It has no headless mode: it runs on a display that nobody sees. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { find, MissingBrowser } from "./find.mjs";
import { openWebDriver } from "./webdriver.mjs";

/** The settings of a visitor. */
const ARGUMENTS = {
  "third-party": ["--cookies-policy=no-third-party", "--enable-itp"],
  storage: ["--cookies-policy=never", "--enable-html5-local-storage=false"],
};

export async function openWebKit({ blocked }) {
  const driver = find("SALTMINE_WEBKIT_DRIVER", ["WebKitWebDriver"], "webkit2gtk-driver");
  const display = find("SALTMINE_XVFB_RUN", ["xvfb-run"], "xvfb xauth");
  const session = await openWebDriver((port) => [display, "-a", driver, `--port=${port}`], {
    "webkitgtk:browserOptions": {
      binary: miniBrowser(),
      args: ["--automation", ...(ARGUMENTS[blocked] ?? [])],
    },
  });
  return {
    title: `WebKitGTK ${session.version}`,
    open: async (url) => {
      const page = await session.open(url);
      return { ...page, complaints: undefined, workers: async () => workerThreads(session.pid) };
    },
    close: session.close,
  };
}

/** Where distributions keep it: not on the PATH. */
function miniBrowser() {
  if (process.env.SALTMINE_MINIBROWSER) return process.env.SALTMINE_MINIBROWSER;
  const folders = ["/usr/libexec", "/usr/lib64", "/usr/lib"].filter(existsSync);
  const nested = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const places = [...folders, ...nested].flatMap((folder) =>
    ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"].map((name) => join(folder, name, "MiniBrowser")),
  );
  const found = places.find(existsSync);
  if (!found) throw new MissingBrowser("WebKitGTK's MiniBrowser is not installed");
  return found;
}

/** How many worker threads the processes of this group have. */
function workerThreads(group) {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return processes.flatMap((id) => threadsOf(id, group)).filter((name) => name === "WebCore: Worker").length;
}

/** The names of a process's threads; none if it is not of the group, or has ended. */
function threadsOf(id, group) {
  const read = (...path) => readFileSync(join("/proc", id, ...path), "utf8").trim();
  try {
    // proc_pid_stat(5): after the name come the state, the parent and the group.
    const [, , ofIt] = read("stat").split(") ").at(-1).split(" ");
    if (Number(ofIt) !== group) return [];
    return readdirSync(join("/proc", id, "task")).map((thread) => read("task", thread, "comm"));
  } catch {
    return [];
  }
}
