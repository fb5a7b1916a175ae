/** A server of Node's own on a loopback port, with an end that does not wait for idle connections. */

import { once } from "node:events";
import { createServer } from "node:http";

/** Listens; `origin` is where, `close()` the end. */
export async function listen(handler) {
  const server = createServer(handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      return closed;
    },
  };
}
