/**
 * The limit of the idea: the same kernel compiled natively, for the 128-bit vectors of this very machine, timed by
 * criterion (`crates/solver/benches`). In a folder of its own, since other flags would evict what the builds share.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../support/paths.mjs";
import { quartiles } from "./shared.mjs";

const BACKEND = "native-simd";
const folder = join(root, ".cache", "native");

/** `{ mhs }`: millions of hashes a second on one thread, of criterion's samples. */
export async function measureNative(progress) {
  progress("natively: compiling the kernel, then criterion's measurement");
  const args = ["bench", "--quiet", "--locked", "--package", "saltmine-solver", "--features", BACKEND];
  const cargo = spawn("cargo", [...args, "--", BACKEND], {
    cwd: root,
    // Standard output is the tables'.
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, CARGO_TARGET_DIR: folder, CARGO_ENCODED_RUSTFLAGS: "-Ctarget-cpu=native" },
  });
  const [code] = await once(cargo, "exit");
  if (code !== 0) throw new Error(`cargo ${args.join(" ")} ended with code ${code}`);

  const records = (await readdir(join(folder, "criterion"), { recursive: true })).filter((name) =>
    name.endsWith(join(BACKEND, "new", "sample.json")),
  );
  if (records.length !== 1) throw new Error(`criterion left ${records.length} records of ${BACKEND}`);
  const file = join(folder, "criterion", records[0]);
  const { iters, times } = JSON.parse(await readFile(file, "utf8"));
  const { throughput } = JSON.parse(await readFile(join(file, "..", "benchmark.json"), "utf8"));
  const mhs = times.map((ns, sample) => (throughput.Elements * iters[sample] * 1_000) / ns);
  return { mhs: quartiles(mhs) };
}
