/** As much of WebDriver as measuring needs: a session, a page, a function called in it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

const STARTS_WITHIN_MS = 20_000;
const SCRIPT_LIMIT_MS = 600_000;

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
  try {
    const root = `http://127.0.0.1:${port}`;
    const { sessionId, capabilities: found } = await started(driver, () =>
      call(`${root}/session`, { capabilities: { alwaysMatch: capabilities } }),
    );
    const session = `${root}/session/${sessionId}`;
    await call(`${session}/timeouts`, { script: SCRIPT_LIMIT_MS, pageLoad: 60_000 });
    return {
      version: found.browserVersion,
      goto: (url) => call(`${session}/url`, { url }),
      evaluate: (work, argument) => evaluate(session, work, argument),
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

async function call(url, body) {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`);
  return value;
}

async function evaluate(session, work, argument) {
  const script = `const end = arguments[arguments.length - 1];
    Promise.resolve(arguments[0]).then(${work}).then((value) => end({ value }), (error) => end({ failed: String(error) }));`;
  const { value, failed } = await call(`${session}/execute/async`, { script, args: [argument ?? null] });
  if (failed) throw new Error(failed);
  return value;
}
