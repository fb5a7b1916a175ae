/** The functions of the page: keys per second of this package's worker and of the widget's. Each call is by itself. */

/**
 * Keys per second of `challenges.length` workers of this package within `ms` milliseconds, each with its own challenge.
 * `engine` names the engine, or is "chosen".
 */
export async function ourRate({ challenges, engine, ms }) {
  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const modules = { SCRYPT: "scrypt", ARGON2ID: "argon2id" };
  const members = challenges.map(({ parameters }) => {
    const worker = new Worker("/saltmine/kdf-worker.js", { type: "module" });
    const { algorithm, cost, memoryCost = 0, keyLength } = parameters;
    const [nonce, salt] = [bytes(parameters.nonce), bytes(parameters.salt)];
    const rest = {
      module: modules[algorithm] ?? "sha",
      parallelism: 1,
      keyPrefix: "0".repeat(64),
      isDecimal: false,
    };
    worker.postMessage({
      type: "start",
      parameters: { algorithm, nonce, salt, cost, memoryCost, keyLength, ...rest },
      engine: engine === "chosen" ? undefined : engine,
      compares: engine === "chosen",
      urls: {},
    });
    const next = () => new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
    return { worker, next, used: undefined };
  });
  const ready = await Promise.all(members.map(({ next }) => next()));
  if (ready.some(({ type }) => type !== "ready")) throw new Error(JSON.stringify(ready));
  const run = async (member, until) => {
    let tried = 0;
    for (member.first ??= 0; performance.now() < until;) {
      const reply = member.next();
      const count = member.size ?? ready[0].width;
      member.worker.postMessage({ type: "search", first: member.first, count });
      const { tried: done, ms: took, engine: used, type, reason } = await reply;
      if (type !== "searched") throw new Error(reason);
      member.first += count;
      // Blocks of about 20 ms, as the package hands them out.
      member.size = Math.max(1, Math.round(20 / (took / done) / ready[0].width)) * ready[0].width;
      tried += done;
      member.used = used;
    }
    return tried;
  };
  const warm = performance.now() + (engine === "chosen" ? 250 : 60);
  await Promise.all(members.map((member) => run(member, warm)));
  const began = performance.now();
  const tried = await Promise.all(members.map((member) => run(member, began + ms)));
  const rate = (tried.reduce((sum, count) => sum + count) / (performance.now() - began)) * 1000;
  for (const { worker } of members) worker.terminate();
  return { rate, engine: members[0].used };
}

/** The same of the widget's own workers: each solves its challenge, whose counter is `counter`. */
export async function theirRate({ challenges, file, counter }) {
  const members = challenges.map((challenge) => ({
    challenge,
    worker: new Worker(`/altcha/workers/${file}.js`),
  }));
  const work = ({ worker, challenge }, counterStart) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data?.error ? reject(data.error) : resolve(data));
      worker.postMessage({
        type: "work",
        challenge,
        counterStart,
        counterStep: 1,
        timeout: 0,
        counterMode: "uint32",
      });
    });
  // The first derivation loads what the worker needs.
  await Promise.all(members.map((member) => work(member, counter)));
  const began = performance.now();
  await Promise.all(members.map((member) => work(member, 0)));
  const rate = ((members.length * (counter + 1)) / (performance.now() - began)) * 1000;
  for (const { worker } of members) worker.terminate();
  return { rate };
}
