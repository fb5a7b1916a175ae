import { createClient } from "saltmine/inline";

export const makeClient = (options) => createClient({ appId: "app_demo000000000000", ...options });
