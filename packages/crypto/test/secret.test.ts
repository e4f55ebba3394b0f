import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { isFengniError } from "../src/errors.js";
import { SecretBytes } from "../src/secret.js";

describe("SecretBytes", () => {
  const make = (): SecretBytes => new SecretBytes(Uint8Array.from({ length: 32 }, () => 0xab));

  it("gives the bytes through its method only", () => {
    const secret = make();
    expect(secret.bytes()).toHaveLength(32);
    expect(secret.length).toBe(32);
    const shown = [
      String(secret),
      `${secret}`,
      JSON.stringify(secret),
      JSON.stringify({ nested: { secret } }),
      inspect(secret),
      inspect({ nested: [secret] }, { depth: 9, showHidden: true }),
      inspect(secret, { customInspect: false, showHidden: true }),
      JSON.stringify(Object.entries(secret)),
      JSON.stringify({ ...secret }),
    ];
    for (const text of shown) expect(text).not.toMatch(/ab|171/i);
    expect(String(secret)).toBe("[redacted]");
    expect(JSON.stringify(secret)).toBe('"[redacted]"');
    expect(inspect(secret)).toBe("[redacted]");
    expect(Object.keys(secret)).not.toContain("bytes");
  });

  it("takes the buffer over, and zeroes it when it is wiped", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const secret = new SecretBytes(bytes);
    expect(secret.bytes()).toBe(bytes);
    expect(secret.wiped).toBe(false);
    secret.wipe();
    secret.wipe();
    expect([...bytes]).toEqual([0, 0, 0]);
    expect(secret.wiped).toBe(true);
    expect(secret.length).toBe(3);
    try {
      secret.bytes();
      expect.unreachable();
    } catch (error) {
      expect(isFengniError(error, "ERR_CLOSED")).toBe(true);
    }
  });

  it("refuses what is no Uint8Array", () => {
    expect(() => new SecretBytes("secret" as unknown as Uint8Array)).toThrow(TypeError);
  });
});
