/** A server of Node's own on a loopback port, with a record of what it sent and an end that waits for nobody. */
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * Listens. `answer(request, response, path)` gives `{ status?, type?, headers?, body? }` (a body that is neither text
 * nor bytes becomes JSON), or nothing when it has taken the response into its own hands. `headers` go with every
 * answer.
 */
export async function listen(answer, headers = {}) {
  const sent = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const made = await answer(request, response, pathname);
    if (!made) return;
    const { status = 200, type = "application/json", headers: own = {}, body = "" } = made;
    const bytes = Buffer.from(
      typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    );
    sent.push({ path: pathname, status, body: bytes });
    response.writeHead(status, { "content-type": type, ...headers, ...own }).end(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    sent,
    close: () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      return closed;
    },
  };
}
