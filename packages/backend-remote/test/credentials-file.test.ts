// Small files that must exist: what is none is refused at once, and holds no thread of the process.
import { execFileSync } from "node:child_process";
import { constants } from "node:fs";
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readSmallFile } from "../src/credentials-file.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fengni-file-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("readSmallFile", () => {
  test("follows a link, as a mounted token is one", async () => {
    await writeFile(join(folder, "..data"), "token");
    await symlink("..data", join(folder, "token"));
    expect(await readSmallFile(join(folder, "token"), "the token file")).toBe("token");
  });

  test.runIf(process.platform !== "win32")("refuses a folder and a device, and says so", async () => {
    const path = join(folder, "token");
    await mkdir(path);
    for (const wrong of [path, "/dev/zero"]) {
      await expect(readSmallFile(wrong, "the token file")).rejects.toMatchObject({
        code: "ERR_CREDENTIALS",
        message: `the token file ${wrong} is not a regular file`,
      });
    }
  });

  test.runIf(process.platform !== "win32")(
    "refuses a pipe that nobody writes to, without waiting for one",
    async () => {
      const path = join(folder, "pipe");
      execFileSync("mkfifo", [path]);
      let outcome: unknown = "waits";
      const reading = readSmallFile(path, "the token file").then(
        (text) => {
          outcome = text;
        },
        (error: unknown) => {
          outcome = error;
        },
      );
      // Another file of the same threads, long after whatever does not wait.
      for (let turn = 0; turn < 200 && outcome === "waits"; turn++) await writeFile(join(folder, "other"), "x");
      try {
        expect(outcome).toMatchObject({ message: `the token file ${path} is not a regular file` });
      } finally {
        // Lets go whoever waits.
        await (await open(path, constants.O_RDWR | constants.O_NONBLOCK)).close();
        await reading;
      }
    },
  );
});
