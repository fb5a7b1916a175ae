/** The library: the package is within it, since only the one-file entry point can be bundled twice. */
export default {
  entry: { library: "src/library.js" },
  outDir: "lib",
  format: "esm",
  platform: "browser",
  dts: false,
  noExternal: ["saltmine/inline"],
};
