import { describe } from "./describe.js";
import { SaltmineError } from "./errors.js";

/** Loads a part of the package that is a file of its own; a file that is missing or blocked is `engine_unavailable`. */
export async function loadChunk<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new SaltmineError({ code: "engine_unavailable", detail: describe(error) }, error);
  }
}
