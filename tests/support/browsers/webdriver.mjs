/** As much of WebDriver as pages need: a session, its windows, functions called in them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

const STARTS_WITHIN_MS = 20_000;
const LOADS_WITHIN_MS = 60_000;
/** How long one page may keep the driver from the others. */
const TURN_MS = 100;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Starts the driver (`command(port)` is its command line), then a session; `capabilities` say which browser. */
export async function openWebDriver(command, capabilities) {
  const port = await freePort();
  const [program, ...args] = command(port);
  // A process group of its own: what it starts ends with it.
  const driver = spawn(program, args, { stdio: "ignore", detached: true });
  const end = () => {
    try {
      process.kill(-driver.pid);
    } catch {
      // It has ended by itself.
    }
  };
  process.once("exit", end);
  // Without these the process would end, and the browser stay.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.once(signal, () => process.exit(1));
  try {
    const root = `http://127.0.0.1:${port}`;
    const { sessionId, capabilities: found } = await started(driver, () =>
      call(`${root}/session`, { capabilities: { alwaysMatch: capabilities } }),
    );
    const session = `${root}/session/${sessionId}`;
    await call(`${session}/timeouts`, { pageLoad: LOADS_WITHIN_MS });
    return {
      version: found.browserVersion,
      pid: driver.pid,
      open: opener(session, await call(`${session}/window`, undefined, "GET")),
      close: async () => {
        await fetch(session, { method: "DELETE" }).catch(() => {});
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** Asks until the driver listens. */
async function started(driver, ask) {
  const ended = once(driver, "exit").then(
    ([code]) => Promise.reject(new Error(`the WebDriver ended with code ${code}`)),
    (error) => Promise.reject(error),
  );
  ended.catch(() => {});
  const deadline = Date.now() + STARTS_WITHIN_MS;
  for (;;) {
    try {
      return await Promise.race([ask(), ended]);
    } catch (error) {
      if (!(error instanceof TypeError) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function call(url, body, method = "POST") {
  const response = await fetch(url, { method, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`);
  return value;
}

/**
 * Returns a function that opens windows, from the `first` one. The session has one current window: commands to several
 * take turns.
 */
function opener(session, first) {
  let turn = Promise.resolve();
  const inWindow = (handle, command, body, method) => {
    const mine = turn.then(async () => {
      await call(`${session}/window`, { handle });
      return call(`${session}/${command}`, body, method);
    });
    turn = mine.catch(() => {});
    return mine;
  };
  return async (url) => {
    // Not a tab, which would be hidden.
    const { handle } = await inWindow(first, "window/new", { type: "window" });
    const goto = (url) => inWindow(handle, "url", { url });
    await goto(url);
    return {
      goto,
      reload: () => inWindow(handle, "refresh", {}),
      evaluate: (work, argument) => evaluate((...command) => inWindow(handle, ...command), work, argument),
      close: () => inWindow(handle, "window", undefined, "DELETE"),
    };
  };
}

let calls = 0;

/** Calls a function in the page and asks again and again whether its promise is settled. */
async function evaluate(send, work, argument) {
  const id = `saltmine-test-${++calls}`;
  await send("execute/sync", {
    script: `globalThis[Symbol.for("${id}")] = Promise.resolve(${literal(argument)}).then(${work}).then(
      (value) => ({ value: JSON.stringify(value) }),
      (error) => ({ failed: String(error) }),
    );`,
    args: [],
  });
  for (;;) {
    const told = await send("execute/async", {
      script: `const name = Symbol.for("${id}");
        const soon = new Promise((resolve) => setTimeout(resolve, ${TURN_MS}, null));
        Promise.race([globalThis[name], soon]).then((told) => {
          if (told) delete globalThis[name];
          arguments[0](told);
        });`,
      args: [],
    });
    if (told?.failed) throw new Error(told.failed);
    if (told) return told.value && JSON.parse(told.value);
  }
}

/** A value as JavaScript has it: JSON has neither NaN nor undefined. */
function literal(value) {
  if (Array.isArray(value)) return `[${value.map(literal)}]`;
  if (value === undefined || typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${literal(member)}`)}}`;
}
