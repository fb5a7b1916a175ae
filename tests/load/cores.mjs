/**
 * One core for the server at hand, ours or the peer, and another for wrk. On the same cores wrk takes the more of them
 * the faster the server is, and the figures are of the two together, in a proportion that the scheduler chooses.
 */
export const SERVER_CORE = 0;
export const WRK_CORE = 1;

/** The command, held to one core with all its threads; it sees no other, and so starts as on a machine of one. */
export const onCore = (core, ...command) => ["taskset", "--cpu-list", String(core), ...command];
