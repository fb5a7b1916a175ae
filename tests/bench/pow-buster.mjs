/** pow-buster 0.2.0 (crates.io) as a SIMD128 module: built on demand into `.cache`, since only the benchmark needs it. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { root } from "../support/paths.mjs";

const run = promisify(execFile);
const TARGET = "wasm32-unknown-unknown";
const crate = fileURLToPath(new URL("pow-buster/", import.meta.url));
const folder = join(root, ".cache", "pow-buster");
const wasmOpt = fileURLToPath(import.meta.resolve("binaryen/bin/wasm-opt"));

/** The version that the crate's manifest pins. */
export const powBusterVersion = /pow-buster = \{ version = "=([^"]+)"/.exec(
  readFileSync(join(crate, "Cargo.toml"), "utf8"),
)[1];

/** Builds the module, with the wasm-opt flags of the crate's own manifest; the folder it is in. */
export async function buildPowBuster() {
  const output = join(folder, "module");
  await mkdir(output, { recursive: true });
  // The crate's folder, so that a root configuration cannot add flags of its own.
  await run("cargo", ["build", "--quiet", "--release", "--locked", "--target", TARGET], {
    cwd: crate,
    env: { ...process.env, CARGO_TARGET_DIR: folder, CARGO_ENCODED_RUSTFLAGS: "-Ctarget-feature=+simd128" },
  });
  await run(process.execPath, [
    wasmOpt,
    join(folder, TARGET, "release", "pow_buster_module.wasm"),
    ...["-O4", "--enable-bulk-memory", "--enable-simd", "--enable-reference-types", "--enable-multivalue"],
    ...["--enable-sign-ext", "--enable-mutable-globals", "--enable-nontrapping-float-to-int"],
    ...["-o", join(output, "pow-buster.wasm")],
  ]);
  return output;
}
