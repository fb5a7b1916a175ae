/** The parts that these measurements share with the demo's benchmark page. */
import { importTypeScript } from "../support/typescript.mjs";

const source = (name) => importTypeScript(new URL(`../../www/src/bench/${name}.ts`, import.meta.url));

export const { contestant } = await source("ring");
export const { ratio, takeTurns } = await source("rounds");
export const { quartiles } = await source("statistics");
