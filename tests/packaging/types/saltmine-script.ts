// The global of the classic script `saltmine.global.js`.
import type { Client, ClientOptions } from "saltmine";
import "saltmine/saltmine.global.js";

declare const options: ClientOptions;

export const client: Client = saltmine.createClient(options);
export const version: string = saltmine.VERSION;
