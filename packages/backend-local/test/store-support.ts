// What the tests of stores share; no KMS is needed for it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { filled } from "./assertions.js";

export { codeOf, errorOf, filled } from "./assertions.js";

/** The root key of the tests. */
export const ROOT_KEY: Uint8Array = filled(32, 0x21);

/** The code that something throws. */
export function thrownCode(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return (error as Error & { code?: string }).code;
  }
  throw new Error("expected an error");
}

const folders: string[] = [];

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fengni-store-"));
  folders.push(folder);
  return folder;
}

// Hooks run in reverse order: the stores of a test are closed by then.
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Names and contents of a folder. */
export function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "base64")]),
  );
}
