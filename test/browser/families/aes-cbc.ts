// AES-CBC in the browser: SP 800-38A and round trips by every implementation. It must not know how an implementation does it.
import { type AesCbcImplementation, aesCbcImplementations } from "@fengni/crypto/aes-cbc";
import { bytesToUtf8, hexToBytes } from "@fengni/crypto/bytes";
import {
  type Emit,
  expectNames,
  flipped,
  patternOf,
  readVectorFile,
  refused,
  runCases,
  runOwn,
  same,
} from "../harness.js";

interface NistFile {
  readonly iv: string;
  readonly plaintext: string;
  readonly tests: readonly { readonly section: string; readonly key: string; readonly ciphertext: string }[];
}

async function roundTrip(implementations: readonly AesCbcImplementation[], keyLength: number, length: number) {
  for (const sealer of implementations) {
    const ciphertext = await sealer.importKey(patternOf(keyLength)).encrypt(patternOf(16), patternOf(length));
    for (const opener of implementations) {
      const key = opener.importKey(patternOf(keyLength));
      same(await key.decrypt(patternOf(16), ciphertext), patternOf(length), opener.name);
      await refused(() => key.decrypt(patternOf(16), ciphertext.subarray(1)), "ERR_CIPHERTEXT_INVALID");
      // What is changed in the block before changes the padding's last byte, for which no padding fits then.
      const before = ciphertext.length === 16 ? patternOf(16) : ciphertext.subarray(-32, -16);
      await refused(() => key.decrypt(flipped(before, 15), ciphertext.subarray(-16)), "ERR_CIPHERTEXT_INVALID");
    }
  }
}

export async function aesCbc(emit: Emit): Promise<void> {
  const implementations = aesCbcImplementations();
  expectNames(implementations, ["webcrypto", "noble"]);
  const file = JSON.parse(bytesToUtf8(await readVectorFile("nist/aes-cbc.json"))) as NistFile;
  const [iv, plaintext] = [hexToBytes(file.iv), hexToBytes(file.plaintext)];
  for (const implementation of implementations) {
    await runCases(emit, {
      file: "nist/aes-cbc.json",
      implementation: implementation.name,
      cases: file.tests,
      nameOf: ({ section }) => section,
      expected: { right: 3 },
      check: async (test) => {
        const key = implementation.importKey(hexToBytes(test.key));
        const ciphertext = await key.encrypt(iv, plaintext);
        same(ciphertext.subarray(0, 64), hexToBytes(test.ciphertext), "ciphertext");
        same(await key.decrypt(iv, ciphertext), plaintext, "plaintext");
        return "right";
      },
    });
  }
  const cases = [16, 24, 32].flatMap((keyLength) =>
    [0, 15, 16, 4096].map(
      (length) =>
        [`${8 * keyLength} bits, ${length} bytes`, () => roundTrip(implementations, keyLength, length)] as const,
    ),
  );
  await runOwn(emit, "AES-CBC: round trips", "all", Object.fromEntries(cases));
}
