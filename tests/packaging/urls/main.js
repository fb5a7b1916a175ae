import { createClient } from "saltmine";
import javascript from "saltmine/javascript.js?url";
import kdfShaScalar from "saltmine/kdf-sha-scalar.wasm?url";
import kdfSha from "saltmine/kdf-sha.wasm?url";
import kdfWorker from "saltmine/kdf-worker.js?url";
import scalar from "saltmine/scalar.wasm?url";
import simd128 from "saltmine/simd128.wasm?url";
import worker from "saltmine/worker.js?url";

const assetsUrl = {
  "worker.js": worker,
  "simd128.wasm": simd128,
  "scalar.wasm": scalar,
  "javascript.js": javascript,
  // ALTCHA version 2 with PBKDF2 or SHA.
  "kdf-worker.js": kdfWorker,
  "kdf-sha.wasm": kdfSha,
  "kdf-sha-scalar.wasm": kdfShaScalar,
};

const client = createClient({
  baseUrl: new URLSearchParams(location.search).get("api"),
  appId: "app_demo000000000000",
  assetsUrl,
  onEvent: (event) => {
    if (event.type === "ready") globalThis.outcome = { token: event.session.token, backend: event.backend };
  },
});
client.session().catch(({ code, message }) => {
  globalThis.outcome = { code, message };
});
