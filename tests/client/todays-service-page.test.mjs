/** A page of another origin with today's service, whose CORS exposes no header: in Chromium. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { call, eventsOf, loaded, makeClient, openTab, startPages } from "../support/client-pages.mjs";
import { listen } from "../support/browser.mjs";
import { makeUserKey, startTodaysService } from "../support/todays-service.mjs";

const pages = await startPages();
after(pages.close);

async function setUp(t, settings) {
  const service = await startTodaysService(settings);
  const context = await pages.browser.newContext();
  t.after(async () => {
    await context.close();
    await service.close();
  });
  const page = await openTab(context, pages.site.origin);
  const complaints = listen(page);
  const asked = () =>
    service.requests.splice(0).map(({ method, path }) => `${method} ${path.split("/").at(-1)}`);
  await makeClient(page, { baseUrl: service.baseUrl });
  const reload = async () => {
    await page.reload();
    await loaded(page);
    await makeClient(page, { baseUrl: service.baseUrl });
  };
  return { service, page, context, complaints, asked, reload };
}

/** A message as widgets send it; resolves to the stream's text. */
const chat = (page, text) =>
  page.evaluate(async (text) => {
    const response = await client.fetch("/run/api/chat", {
      method: "POST",
      headers: { "Content-Type": "application/json", "x-inkeep-client-timezone": "UTC" },
      body: JSON.stringify({ messages: [{ role: "user", parts: [{ type: "text", text }] }] }),
    });
    return [response.status, await response.text()];
  }, text);

for (const version of [1, 2])
  test(`version ${version}: a session, a chat, and the same visitor after a reload`, async (t) => {
    const { page, service, complaints, asked, reload } = await setUp(t, { version });
    const { userId, token } = await call(page, "session");
    assert.match(userId, /^anon_/);
    assert.deepEqual(asked(), ["GET challenge", "POST anonymous-session"]);
    const [status, stream] = await chat(page, "Hello");
    assert.equal(status, 200);
    assert.match(stream, /"delta":"Hello"/);
    const [sent] = service.requests;
    assert.equal(sent.headers.cookie, undefined);
    assert.equal(sent.headers.origin, pages.site.origin);
    await reload();
    assert.equal((await call(page, "session")).token, token);
    assert.equal((await call(page, "refresh")).userId, userId);
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), [
      `inkeep_session_${service.appId}`,
    ]);
    assert.deepEqual(complaints, []);
  });

test("the older route: the newer one is requested once, not after a reload", async (t) => {
  const { page, asked, reload, complaints } = await setUp(t, { routes: "older" });
  await call(page, "session");
  assert.deepEqual(asked(), ["GET challenge", "GET challenge", "POST anonymous-session"]);
  await reload();
  await call(page, "refresh");
  assert.deepEqual(asked(), ["GET challenge", "POST anonymous-session"]);
  assert.deepEqual(
    complaints.filter((text) => !/404/.test(text)),
    [],
  );
});

test("a signed-in user: no challenge, nothing stored, in two tabs; a sign-in is a sign-out of the anonymous visitor elsewhere", async (t) => {
  const { page, context, service, asked, complaints } = await setUp(t, { routes: "none" });
  const key = await makeUserKey("RS256");
  service.settings.apps[service.appId].publicKeys = [key.entry];
  await call(page, "session");
  asked();
  const other = await openTab(context, pages.site.origin);
  const options = { baseUrl: service.baseUrl, appId: service.appId };
  await other.evaluate(
    ([options, token]) => {
      globalThis.client = make({ ...options, getAuthToken: async () => token });
    },
    [options, await key.sign({ sub: "ann" })],
  );
  const { userId, kind } = await call(other, "session");
  assert.deepEqual([userId, kind], ["ann", "signed_in"]);
  assert.deepEqual(await chat(other, "Hi").then(([status]) => status), 200);
  assert.deepEqual(asked(), ["POST chat"]);
  assert.equal(await other.evaluate(() => localStorage.getItem("inkeep_session_app_0123456789abcdef")), null);
  await page.waitForFunction(() => events.some(({ state }) => state === "signed_out"));
  // The anonymous visitor's new session does not reach the user's tab.
  await call(page, "session");
  assert.equal((await call(other, "session")).userId, "ann");
  assert.deepEqual(
    (await eventsOf(other, "state")).map(({ state }) => state),
    ["starting", "ready"],
  );
  assert.deepEqual(
    complaints.filter((text) => !/404/.test(text)),
    [],
  );
});
