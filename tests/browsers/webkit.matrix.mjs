/** The package in WebKitGTK. */
import { testBrowser } from "./suite.mjs";

await testBrowser("webkit");
