/** The workers for the altcha widget, in Firefox and WebKitGTK. */
import { testWorkers } from "./altcha-workers.mjs";

await testWorkers("firefox");
await testWorkers("webkit");
