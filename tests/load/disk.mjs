/** A small disk that can be filled: a tmpfs, which only root can mount. */
import { execFile } from "node:child_process";
import { mkdtemp, open, rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Mounts one of `megabytes`; nothing where this user cannot. */
export async function smallDisk(megabytes) {
  const folder = await mkdtemp(join(tmpdir(), "saltmine-disk-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder]);
  } catch {
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
  const filler = join(folder, "filler");
  return {
    folder,
    /** Takes all the space that is left; the number of bytes. */
    async fill() {
      const file = await open(filler, "w");
      const block = Buffer.alloc(64 * 1024);
      try {
        for (;;) await file.write(block);
      } catch (error) {
        if (error.code !== "ENOSPC") throw error;
      } finally {
        await file.close();
      }
      return (await stat(filler)).size;
    },
    async free() {
      await rm(filler, { force: true });
    },
    async freeMegabytes() {
      const { bavail, bsize } = await statfs(folder);
      return (bavail * bsize) / 2 ** 20;
    },
    async unmount() {
      await run("umount", ["--lazy", folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
