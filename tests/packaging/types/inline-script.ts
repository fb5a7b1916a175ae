// The global of the classic script `inline.global.js`.
import type { Client, ClientOptions } from "saltmine";
import "saltmine/inline.global.js";

declare const options: ClientOptions;

export const client: Client = saltmine.createClient(options);
export const version: string = saltmine.VERSION;
