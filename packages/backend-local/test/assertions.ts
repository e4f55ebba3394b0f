// What all tests of backend-local share: the code of a rejection, and bytes. It must not know the package under test.
import { expect } from "vitest";

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
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

/** The code of a rejection and the reason in its details, such as `ERR_KEY_STATE key-disabled`. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  const { code, details } = await errorOf(call);
  const reason = (details as { readonly reason?: string } | undefined)?.reason;
  return [code, ...(reason === undefined ? [] : [reason])].join(" ");
}
