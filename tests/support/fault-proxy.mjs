/**
 * A proxy between a page and the reference server that breaks connections where a test wants it. Each response has
 * a connection of its own, so that a fault affects only the request that it is for.
 */
import { once } from "node:events";
import { createServer, request as ask } from "node:http";
import { buffer } from "node:stream/consumers";
import { until } from "./client-pages.mjs";

/**
 * Returns the name of a request: its method and path; a preflight is named after the request that it is for. The request that
 * is sent only for its preflight, and this preflight, are both "ahead".
 */
function nameOf({ method, url, headers }) {
  const asked = headers["access-control-request-method"] ?? method;
  if (asked === "OPTIONS") return "ahead";
  const name =
    asked === "GET" && /\/run\/auth\/(pow\/)?challenge(\?|$)/.test(url)
      ? "challenge"
      : url.endsWith("/anonymous-session")
        ? "session"
        : "run";
  return method === "OPTIONS" ? `${name} preflight` : name;
}

const write = (socket, text) => new Promise((resolve) => socket.write(text, resolve));
const half = (body) => body.subarray(0, Math.ceil(body.length / 2));
const never = () => new Promise(() => {});
/** Holds what follows back, as long as somebody waits for it. */
const hold = (socket, ms) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    socket.once("close", () => clearTimeout(timer));
  });

/** The head of an answer as it goes over the wire. */
function head({ status, headers, body }, length = body.length) {
  const lines = Object.entries({ ...headers, "content-length": length, connection: "close" }).flatMap(
    ([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join("")}\r\n`;
}

/** A whole answer. */
const send = async (socket, answer) => {
  await write(socket, Buffer.concat([Buffer.from(head(answer)), answer.body]));
  socket.end();
};

/**
 * The faults of one request: `(socket, forward)`, where `forward()` resolves with the server's response. A fault that
 * does not end the connection keeps it open.
 */
export const faults = {
  /** Cut as soon as the request is there: the server never sees it. */
  cutAfterRequest: async (socket) => socket.destroy(),
  /** Cut when the server has done its work. */
  cutBeforeAnswer: async (socket, forward) => {
    await forward();
    socket.destroy();
  },
  cutAfterHead: async (socket, forward) => {
    await write(socket, head(await forward()));
    socket.destroy();
  },
  /** Cut before the browser knows whether the page may read the answer. */
  cutInHead: async (socket, forward) => {
    const text = head(await forward());
    await write(socket, text.slice(0, text.indexOf("\r\n") + 10));
    socket.destroy();
  },
  cutInBody: async (socket, forward) => {
    const answer = await forward();
    await write(socket, head(answer));
    await write(socket, half(answer.body));
    socket.destroy();
  },
  /** Half an answer, and then silence. */
  stallInBody: async (socket, forward) => {
    const answer = await forward();
    await write(socket, head(answer));
    await write(socket, half(answer.body));
    await never();
  },
  /** Half an answer, and a second later the rest. */
  pauseInBody: async (socket, forward) => {
    const answer = await forward();
    await write(socket, head(answer));
    await write(socket, half(answer.body));
    await hold(socket, 1_000);
    await write(socket, answer.body.subarray(half(answer.body).length));
    socket.end();
  },
  silence: never,
  /** Half an answer that says it is whole. */
  halfIsAll: async (socket, forward) => {
    const answer = await forward();
    await send(socket, { ...answer, body: half(answer.body) });
  },
  lengthTooLong: async (socket, forward) => {
    const answer = await forward();
    await write(socket, head(answer, answer.body.length + 10));
    await write(socket, answer.body);
    socket.end();
  },
  lengthTooShort: async (socket, forward) => {
    const answer = await forward();
    await write(socket, head(answer, answer.body.length - 10));
    await write(socket, answer.body);
    socket.end();
  },
  twoLengths: async (socket, forward) => {
    const answer = await forward();
    await send(socket, {
      ...answer,
      headers: { ...answer.headers, "Content-Length": answer.body.length + 1 },
    });
  },
  /** A server of another protocol than HTTP. */
  noHttp: async (socket) => {
    await write(socket, "220 mail.example.com ESMTP\r\n");
    socket.end();
  },
  /** A body that is not compressed as its head says. */
  notCompressed: async (socket, forward) => {
    const answer = await forward();
    await send(socket, { ...answer, headers: { ...answer.headers, "content-encoding": "gzip" } });
  },
  bytes: async (socket, forward) => {
    const answer = await forward();
    await send(socket, { ...answer, body: Buffer.from(answer.body.map((byte) => byte ^ 0xa5)) });
  },
};

/** The right answer, `ms` late. */
export const late = (ms) => async (socket, forward) => {
  const answer = await forward();
  await hold(socket, ms);
  await send(socket, answer);
};

/** The right response, held back until `condition` is true. */
export const heldUntil = (condition) => async (socket, forward) => {
  const answer = await forward();
  await until("the end of the hold", condition);
  await send(socket, answer);
};

/** The right response with other headers. */
export const withHeaders = (headers) => async (socket, forward) => {
  const answer = await forward();
  await send(socket, { ...answer, headers: { ...answer.headers, ...headers } });
};

/** Another body in the place of the server's. */
export const instead = (makeBody) => async (socket, forward) => {
  const answer = await forward();
  await send(socket, { ...answer, body: Buffer.from(JSON.stringify(await makeBody())) });
};

/**
 * Starts it in front of `target`. `break(name, fault, times)`: what becomes of the next requests of that name; `cut
 * (after, times)`: connections are cut when they are made, as long as the last answer was to `after`. `asked` are the
 * names of the requests that came, `offline(true)` refuses every connection, and ends those that there are. With
 * `cachesPreflights: false` browsers store no preflight, so that every request has its own.
 */
export async function startProxy(target, { cachesPreflights = true } = {}) {
  const asked = [];
  const broken = new Map();
  let cut = { times: 0 };
  let lastAnswered;

  const server = createServer(async (request) => {
    const name = nameOf(request);
    asked.push(name);
    const { socket } = request;
    socket.on("error", () => {});
    const entry = broken.get(name);
    const fault = entry && entry.times-- > 0 ? entry.fault : undefined;
    const forward = async () => {
      const answer = await forwardTo(target, request);
      if (!cachesPreflights) answer.headers["access-control-max-age"] = "0";
      return answer;
    };
    if (fault) return fault(socket, forward);
    const answer = await forward();
    if (name !== "ahead") lastAnswered = name;
    await send(socket, answer);
  });
  server.on("connection", (socket) => {
    if (cut.times < 1 || cut.after !== lastAnswered) return;
    cut.times -= 1;
    asked.push("cut");
    socket.resetAndDestroy();
  });
  const listen = async (port) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const close = async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  const { port } = server.address();
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    asked,
    break: (name, fault, times = Number.POSITIVE_INFINITY) => broken.set(name, { fault, times }),
    cut: (after, times = Number.POSITIVE_INFINITY) => {
      cut = { after, times };
    },
    mend: () => {
      broken.clear();
      cut = { times: 0 };
    },
    offline: (on) => (on ? close() : listen(port)),
    close: async () => server.listening && close(),
  };
}

/** Returns the server's whole response. */
async function forwardTo(target, request) {
  const { method, url, headers } = request;
  const upstream = ask(`${target}${url}`, { method, headers: { ...headers, connection: "close" } });
  request.pipe(upstream);
  const [response] = await once(upstream, "response");
  const { "transfer-encoding": _chunked, "content-length": _length, ...kept } = response.headers;
  return { status: response.statusCode, headers: kept, body: await buffer(response) };
}
