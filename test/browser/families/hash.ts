// SHA-2, SM3, HMAC and HKDF in the browser, with every implementation. It must not know how an implementation does it.
import { bytesToHex, hexToBytes } from "@fengni/crypto/bytes";
import { type HashImplementation, type HashName, hashImplementations } from "@fengni/crypto/hash";
import {
  type Emit,
  equal,
  expectNames,
  type GmCase,
  patternOf,
  refused,
  runGm,
  runOwn,
  runWycheproof,
  same,
  type WycheproofCase,
} from "../harness.js";

interface HkdfGroup {
  readonly tests: readonly (WycheproofCase &
    Readonly<Record<"ikm" | "salt" | "info" | "okm", string>> & {
      readonly size: number;
    })[];
}

interface HmacGroup {
  readonly tagSize: number;
  readonly tests: readonly (WycheproofCase & Readonly<Record<"key" | "msg" | "tag", string>>)[];
}

interface Sm3Case extends GmCase {
  readonly msg?: string;
  readonly len?: number;
  readonly pattern?: string;
  readonly digest: string;
}

const PATTERNS: Readonly<Record<string, (index: number) => number>> = {
  "byte i = (31*i + 7) mod 256": (index) => 31 * index + 7,
  "1000000 x 61": () => 0x61,
};

function messageOf(test: Sm3Case): Uint8Array {
  if (test.msg !== undefined) return hexToBytes(test.msg);
  const byteAt = PATTERNS[test.pattern as string] as (index: number) => number;
  return new Uint8Array(test.len as number).map((_, index) => byteAt(index));
}

function inParts(implementation: HashImplementation, hash: HashName, data: Uint8Array, length: number): Uint8Array {
  const hasher = implementation.createHasher(hash);
  for (let at = 0; at < data.length; at += length) hasher.update(data.subarray(at, at + length));
  return hasher.digest();
}

async function vectors(emit: Emit, implementation: HashImplementation): Promise<void> {
  for (const [hash, valid] of [
    ["sha256", 83],
    ["sha384", 80],
    ["sha512", 80],
  ] as const) {
    await runWycheproof<HkdfGroup>(emit, {
      name: `hkdf_${hash}_test.json`,
      implementation: implementation.name,
      expected: { accepted: valid, "size refused": 3 },
      check: async (test) => {
        const prk = implementation.hkdfExtract(hash, hexToBytes(test.ikm), hexToBytes(test.salt));
        const expand = (): Uint8Array => implementation.hkdfExpand(hash, prk, hexToBytes(test.info), test.size);
        if (test.result === "valid") {
          same(expand(), hexToBytes(test.okm), "okm");
          return "accepted";
        }
        await refused(expand, "ERR_ARGUMENT");
        return "size refused";
      },
    });
  }
  await runWycheproof<HmacGroup>(emit, {
    name: "hmac_sm3_test.json",
    implementation: implementation.name,
    expected: { accepted: 66, rejected: 108 },
    check: (test, group) => {
      const message = hexToBytes(test.msg);
      const [start, end] = [message.subarray(0, 3), message.subarray(3)];
      const whole = implementation.hmac("sm3", hexToBytes(test.key), message);
      same(implementation.hmac("sm3", hexToBytes(test.key), start, end), whole, "in parts");
      equal(bytesToHex(whole.subarray(0, group.tagSize / 8)) === test.tag, test.result === "valid", "tag fits");
      return test.result === "valid" ? "accepted" : "rejected";
    },
  });
  await runGm<Sm3Case>(emit, {
    name: "sm3.json",
    implementation: implementation.name,
    expected: { hashed: 39 },
    check: (test) => {
      const [message, expected] = [messageOf(test), hexToBytes(test.digest)];
      same(implementation.digest("sm3", message), expected, "whole");
      for (const length of message.length > 5000 ? [64, 4095] : [1, 63, 64, 65]) {
        same(inParts(implementation, "sm3", message, length), expected, `parts of ${length}`);
      }
      return "hashed";
    },
  });
}

/** SHA-2 against the browser's own digest, over every length around the blocks. */
async function againstWebCrypto(emit: Emit, implementation: HashImplementation): Promise<void> {
  const names = { sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" } as const;
  const lengths = [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000, 100_000];
  const cases = Object.entries(names).flatMap(([hash, web]) =>
    lengths.map((length) => {
      const work = async (): Promise<void> => {
        const data = new Uint8Array(patternOf(length));
        const expected = new Uint8Array(await crypto.subtle.digest(web, data));
        same(implementation.digest(hash as HashName, data), expected, "whole");
        same(inParts(implementation, hash as HashName, data, 61), expected, "in parts");
      };
      return [`${hash}, ${length} bytes`, work] as const;
    }),
  );
  await runOwn(emit, "SHA-2 against WebCrypto", implementation.name, Object.fromEntries(cases));
}

export async function hash(emit: Emit): Promise<void> {
  const implementations = hashImplementations();
  expectNames(implementations, ["noble"]);
  for (const implementation of implementations) {
    await vectors(emit, implementation);
    await againstWebCrypto(emit, implementation);
  }
}
