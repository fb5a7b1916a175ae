/** The engine below the best one, asked for by name: the package's whole suite on it. Node has no other. */
import { after, describe } from "node:test";
import { installTarball } from "../support/tarball.mjs";
import { solverHere, testSolve } from "./suite.mjs";

const { entryPoints, remove } = await installTarball();
const saltmine = await import(entryPoints.node);
after(remove);

const engine = "scalar";
describe(`solve in Node, ${engine}`, () => {
  const backend = { engine, thread: "worker", reason: "the caller asked for no better engine" };
  testSolve({ ...solverHere(saltmine, { engine }), backend, rareBackend: backend });
});
