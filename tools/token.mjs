// `npm run token`: a session token from the command line, through the package. Standard output is only the JSON.
import { parseArgs } from "node:util";
import { createClient, SaltmineError } from "saltmine";

const { HOST = "127.0.0.1", PORT = "8787" } = process.env;
/** The host to connect to a server that listens on HOST. */
const reachable =
  { "0.0.0.0": "127.0.0.1", "::": "[::1]" }[HOST] ?? (HOST.includes(":") ? `[${HOST}]` : HOST);
const LOCAL_SERVER = `http://${reachable}:${PORT}`;

const HELP = `Gets an anonymous session: requests the challenge, solves it, requests the token.

usage: npm run --silent token -- [options]

  --base-url URL     the service's address          (${LOCAL_SERVER})
  --app-id ID        the app                        (app_demo000000000000)
  --origin ORIGIN    the Origin to send             (the address's own)
  --max-number N     the largest range to search    (10000000)
  --timeout-ms N     time limit of each request     (15000)
  --quiet            no progress on standard error
  --help

Prints {"token","expiresAt"} as JSON on standard output (--silent keeps npm's own lines off it).
exit codes: 0 a session; 1 no session (the last line on standard error is "code: what to do");
2 an option is missing or has the wrong form; 130 interrupted.`;

/** Ends with a sentence a person can act on, and a code that a script can read. */
function fail(exitCode, code, sentence) {
  console.error(`${code}: ${sentence}`);
  process.exit(exitCode);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        "base-url": { type: "string", default: LOCAL_SERVER },
        "app-id": { type: "string", default: "app_demo000000000000" },
        origin: { type: "string" },
        "max-number": { type: "string" },
        "timeout-ms": { type: "string" },
        quiet: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    fail(2, "invalid_options", `${error.message.split("\n")[0]} (--help lists the options)`);
  }
}

/** A number as it was written; nothing is none, not zero. */
const number = (text) => (text.trim() === "" ? Number.NaN : Number(text));

const options = readOptions();
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
const say = options.quiet ? () => {} : (line) => console.error(line);
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interrupted.abort());

let lastSaid = 0;

/** How far a long search has come, a few times a second. */
function sayProgress({ searched, share, hashesPerSecond, keysPerSecond }) {
  if (performance.now() - lastSaid < 250) return;
  lastSaid = performance.now();
  say(
    share === null
      ? `solving … ${searched} keys at ${Math.round(keysPerSecond)} keys a second`
      : `solving … ${Math.floor(share * 100)} % at ${(hashesPerSecond / 1e6).toFixed(1)} million hashes a second`,
  );
}

const ms = (time) => `${time.toFixed(1)} ms`;

function onEvent(event) {
  if (event.type === "state" && event.state !== "ready" && event.state !== "failed") say(`${event.state} …`);
  if (event.type === "progress") sayProgress(event);
  if (event.type === "warning") say(`warning: ${event.message}`);
  if (event.type === "ready") {
    const { userId, expiresAt } = event.session;
    const tried = event.keys === undefined ? `${event.hashes} hashes` : `${event.keys} keys`;
    const work = event.proofOfWork
      ? `${tried} in ${ms(event.solveMs)} (${event.backend.engine}, ${event.backend.thread})`
      : "proof of work is off on this server";
    say(`${userId} until ${expiresAt}: ${work}, ${ms(event.tookMs)} in all`);
  }
}

let client;
try {
  const baseUrl = options["base-url"];
  client = createClient({
    baseUrl,
    appId: options["app-id"],
    origin: options.origin ?? (URL.canParse(baseUrl) ? new URL(baseUrl).origin : baseUrl),
    ...(options["max-number"] !== undefined && { maxNumber: number(options["max-number"]) }),
    ...(options["timeout-ms"] !== undefined && { timeoutMs: number(options["timeout-ms"]) }),
    onEvent,
  });
  const { token, expiresAt } = await client.session({ signal: interrupted.signal });
  console.log(JSON.stringify({ token, expiresAt }));
} catch (error) {
  if (interrupted.signal.aborted) fail(130, "aborted", "interrupted.");
  if (!(error instanceof SaltmineError)) throw error;
  fail(error.code === "invalid_options" ? 2 : 1, error.code, error.message);
} finally {
  client?.dispose();
}
