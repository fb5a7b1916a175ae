/** Node: memory and threads for the derivation of keys. */
import { availableParallelism, totalmem } from "node:os";

/** The engine without a worker. */
export const loadKeyPageEngine = () => import("#kdf-page-engine");

/** Returns the number of the machine's threads. */
export const threadCount = availableParallelism;

/** Returns the memory of the machine, in bytes. */
export const machineMemory = totalmem;
