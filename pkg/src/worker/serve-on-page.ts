/** The engine on the page's own thread, however it is loaded. */
import type { Report } from "../solver/messages.js";
import { pause } from "./request-host.js";
import { type Load, serve } from "./request-handler.js";
import { searchWithWebCrypto } from "./web-crypto.js";

/** Half a frame is 8 ms. Less is aimed at, since how long a slice takes is known only of the last one. */
const SLICE_MS = 6;

const NO_SCALAR =
  "the page's WebAssembly instance is simd128, which lacks the challenge's hash function: WebCrypto has it";

/** Starts the engine on this thread. */
export function serveOnPage(post: (report: Report) => void, load: Load) {
  return serve(
    async (start) => {
      // Reading the code, making the engine and its first work are a task each: together they can be a long one.
      await pause();
      const loaded = await load(start);
      await pause();
      // The page's one instance may be the variant that lacks the rare hash functions.
      if (start.engine === "scalar" && loaded.engine === "simd128")
        return { ...loaded, reason: NO_SCALAR, elsewhere: searchWithWebCrypto };
      return loaded;
    },
    post,
    SLICE_MS,
  );
}
