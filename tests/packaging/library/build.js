import { build } from "tsup";

const shared = { config: false, outDir: "lib", format: "esm", platform: "browser", silent: true };

// The package within the library: only the one-file entry point can be bundled twice.
await build({ ...shared, entry: { within: "src/inline.js" }, noExternal: ["saltmine/inline"] });
// The package as a dependency of the library.
await build({ ...shared, entry: { beside: "src/dependency.js" }, external: ["saltmine"] });
