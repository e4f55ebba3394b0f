// What the tests of backend-local share: keys by one call, the code of a rejection, folders that go away.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FileKeystoreOptions,
  LocalKms as Kms,
  type LocalKms,
  type LocalKmsOptions,
  openFileKeystore,
} from "@fengni/backend-local";
import type { KeySpec } from "@fengni/core";
import { afterEach } from "vitest";
import { filled } from "./assertions.js";

export { codeOf, errorOf, filled, withBitFlipped } from "./assertions.js";

export const DAY_MS: number = 24 * 60 * 60 * 1000;

/** An in-memory KMS with one key. */
export async function kmsWithKey(
  options: LocalKmsOptions = {},
  keySpec: KeySpec = "AES_256",
): Promise<{ kms: LocalKms; keyId: string }> {
  const kms = new Kms(options);
  const { keyId } = await kms.createKey({ keySpec });
  return { kms, keyId };
}

const folders: string[] = [];

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fengni-backend-local-"));
  folders.push(folder);
  return folder;
}

const open: LocalKms[] = [];

/** Opens a key store file, and closes it after the test. */
export async function openStore(path: string, options: Partial<FileKeystoreOptions> = {}): Promise<LocalKms> {
  const kms = await openFileKeystore(path, { rootKey: { key: ROOT_KEY }, create: true, ...options });
  open.push(kms);
  return kms;
}

afterEach(async () => {
  for (const kms of open.splice(0)) await kms.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The root key of the tests. */
export const ROOT_KEY: Uint8Array = filled(32, 0x21);
