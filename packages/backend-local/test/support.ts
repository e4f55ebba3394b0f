// What the tests of backend-local share: keys by one call, the code of a rejection, folders that go away.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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
import { afterEach, expect } from "vitest";

export const DAY_MS: number = 24 * 60 * 60 * 1000;

/** An in-memory KMS with one key. */
export async function kmsWithKey(
  options: LocalKmsOptions = {},
  keySpec: KeySpec = "AES_256",
): Promise<{ kms: LocalKms; keyId: string }> {
  const kms = new Kms(options);
  const { keyId } = await kms.lifecycle.createKey({ keySpec });
  return { kms, keyId };
}

/** The error with which something rejects. */
export async function errorOf(call: Promise<unknown>): Promise<Error & { code?: string; details?: unknown }> {
  try {
    await call;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return error as Error;
  }
  throw new Error("expected a rejection");
}

/** The code with which something rejects. */
export async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  return (await errorOf(call)).code;
}

/** Bytes that differ from call to call in nothing but their length and fill. */
export function filled(length: number, fill = 0x5a): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

/** A copy with one bit changed. */
export function withBitFlipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
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

/** Names and contents of a folder. */
export function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "base64")]),
  );
}
