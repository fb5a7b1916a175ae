/** The package in Firefox. */
import { testBrowser } from "./suite.mjs";

await testBrowser("firefox");
