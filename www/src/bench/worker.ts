/** The worker that a solver other than ours takes its turns in. */
import { answerer, type Question } from "./ring.js";
import { rivals } from "./rivals.js";

const answer = answerer(rivals);

self.onmessage = async ({ data }: MessageEvent<Question>) => self.postMessage(await answer(data));
