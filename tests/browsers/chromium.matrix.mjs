/** The package in Chromium. */
import { testBrowser } from "./suite.mjs";

await testBrowser("chromium");
