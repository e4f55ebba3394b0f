import { mkdtemp, open, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Envelope } from "@fengni/core";
import { fileSource } from "@fengni/core/node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bytesOf, refusal, testKey } from "./support.js";

const envelope = new Envelope({ wrappingKeys: [testKey()], frameLength: 1000 });
const plaintext = bytesOf(10_000);
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fengni-range-test-"));
  path = join(folder, "message");
  await writeFile(path, await envelope.encrypt(plaintext));
});

afterEach(() => rm(folder, { recursive: true }));

test("ranges of a file are read by path, URL and handle", async () => {
  const handle = await open(path, "r");
  for (const file of [path, pathToFileURL(path), handle]) {
    const source = await fileSource(file);
    expect(await envelope.decryptRange(source, 995, 7003)).toEqual(plaintext.slice(995, 7003));
    await source.close();
    if (file !== handle) await expect(envelope.decryptRange(source, 0, 1)).rejects.toThrow();
  }
  // The caller's own handle is still open.
  expect((await handle.stat()).isFile()).toBe(true);
  await handle.close();
});

test("a file that shrinks while it is read gives an error", async () => {
  const source = await fileSource(path);
  const reader = await envelope.openRange(source);
  await truncate(path, 3000);
  await refusal(reader.read(5000, 6000), "ERR_MESSAGE_TRUNCATED");
  expect(await reader.read(0, 1000)).toEqual(plaintext.slice(0, 1000));
  await source.close();
});

test("what is no file is refused", async () => {
  await expect(fileSource(folder)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  await expect(fileSource(join(folder, "absent"))).rejects.toMatchObject({ code: "ENOENT" });
  for (const wrong of [undefined, 7, {}]) {
    await expect(fileSource(wrong as unknown as string)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  }
});
