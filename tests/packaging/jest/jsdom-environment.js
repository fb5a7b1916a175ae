import { TestEnvironment } from "jest-environment-jsdom";

/** A signal of Node's, which aborts with one of jsdom's: Node 24's `fetch` takes no other. */
function nodeSignal(signal) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return controller.signal;
}

class JsdomRequest extends Request {
  constructor(input, init) {
    super(input, init?.signal ? { ...init, signal: nodeSignal(init.signal) } : init);
  }
}

/** jsdom, with what it lacks and Node has. */
export default class extends TestEnvironment {
  constructor(...options) {
    super(...options);
    Object.assign(this.global, {
      fetch: (input, init) => fetch(new JsdomRequest(input, init)),
      Headers,
      Request: JsdomRequest,
      Response,
      TextDecoder,
      TextEncoder,
    });
  }
}
