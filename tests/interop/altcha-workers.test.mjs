/** The workers for the altcha widget, in Chromium. */
import "../support/browser.mjs";
import { testWorkers } from "./altcha-workers.mjs";

await testWorkers("chromium");
