/** Against the reference server, by Node's `fetch`. */
import { createClient } from "saltmine";

const { API: baseUrl, ENGINE: engine, THREAD: thread } = process.env;

test("a session by proof of work", async () => {
  const ready = [];
  const client = createClient({
    baseUrl,
    appId: "app_demo000000000000",
    origin: "http://127.0.0.1",
    storage: "memory",
    onEvent: (event) => event.type === "ready" && ready.push(event),
  });
  const { userId } = await client.session();
  client.dispose();
  expect(userId).toMatch(/^anon_/);
  expect(ready).toEqual([
    expect.objectContaining({ proofOfWork: true, backend: expect.objectContaining({ engine, thread }) }),
  ]);
});

test("jsdom's signals abort Node's fetch", async () => {
  const aborted = { name: "AbortError" };
  await expect(fetch(baseUrl, { signal: AbortSignal.abort() })).rejects.toMatchObject(aborted);
  const controller = new AbortController();
  const answer = fetch(baseUrl, { headers: new Headers(), signal: controller.signal });
  controller.abort();
  await expect(answer).rejects.toMatchObject(aborted);
});
