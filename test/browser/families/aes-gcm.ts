// AES-GCM in the browser: the vectors of Wycheproof with every implementation. It must not know how an implementation does it.
import { type AeadImplementation, type AeadKey, aesGcmImplementations } from "@fengni/crypto/aes-gcm";
import { concatBytes, hexToBytes } from "@fengni/crypto/bytes";
import {
  type Emit,
  expectNames,
  flipped,
  patternOf,
  refused,
  runOwn,
  runWycheproof,
  same,
  type WycheproofCase,
} from "../harness.js";

export interface AeadCase extends WycheproofCase {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

export interface AeadGroup {
  readonly ivSize: number;
  readonly tagSize: number;
  readonly tests: readonly AeadCase[];
}

async function openInParts(
  key: AeadKey,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
  partLength: number,
): Promise<Uint8Array> {
  const opener = key.openIncremental(nonce, aad, ciphertext.length);
  for (let at = 0; at < ciphertext.length; at += partLength) opener.update(ciphertext.subarray(at, at + partLength));
  return concatBytes(...(await opener.final(tag)));
}

/** Runs one case of an AEAD with 12-byte nonces and 16-byte tags, whole and in parts. */
export async function checkAead(
  implementation: AeadImplementation,
  test: Pick<AeadCase, "key" | "iv" | "aad" | "msg" | "ct" | "tag">,
  isValid: boolean,
): Promise<string> {
  const key = implementation.importKey(hexToBytes(test.key));
  const [iv, aad, plaintext] = [hexToBytes(test.iv), hexToBytes(test.aad), hexToBytes(test.msg)];
  const [ciphertext, tag] = [hexToBytes(test.ct), hexToBytes(test.tag)];
  if (iv.length !== 12 || tag.length !== 16) {
    const what = iv.length === 12 ? "tag" : "nonce";
    if (what === "nonce") await refused(() => key.seal(iv, aad, plaintext), "ERR_ARGUMENT");
    await refused(() => key.open(iv, aad, ciphertext, tag), "ERR_ARGUMENT");
    await refused(() => openInParts(key, iv, aad, ciphertext, tag, 7), "ERR_ARGUMENT");
    return `${what} refused`;
  }
  if (!isValid) {
    await refused(() => key.open(iv, aad, ciphertext, tag), "ERR_AUTHENTICATION");
    await refused(() => openInParts(key, iv, aad, ciphertext, tag, 7), "ERR_AUTHENTICATION");
    return "rejected";
  }
  const sealed = await key.seal(iv, aad, plaintext);
  same(sealed.ciphertext, ciphertext, "ciphertext");
  same(sealed.tag, tag, "tag");
  same(await key.open(iv, aad, ciphertext, tag), plaintext, "plaintext");
  for (const partLength of [1, 7, 1000]) {
    same(await openInParts(key, iv, aad, ciphertext, tag, partLength), plaintext, `parts of ${partLength}`);
  }
  return "accepted";
}

/** What one implementation sealed another opens, up to a length that spans every inner buffer; a change is refused. */
export async function aeadRoundTrips(
  emit: Emit,
  name: string,
  implementations: readonly AeadImplementation[],
  keyBytes: readonly number[],
): Promise<void> {
  const [nonce, aad] = [patternOf(12), patternOf(21)];
  for (const implementation of implementations) {
    const trip = (bytes: number, length: number) => async (): Promise<void> => {
      const plaintext = patternOf(length);
      const sealed = await implementation.importKey(patternOf(bytes)).seal(nonce, aad, plaintext);
      for (const other of implementations) {
        const key = other.importKey(patternOf(bytes));
        same(await key.open(nonce, aad, sealed.ciphertext, sealed.tag), plaintext, other.name);
        await refused(() => key.open(nonce, aad, sealed.ciphertext, flipped(sealed.tag, 15)), "ERR_AUTHENTICATION");
      }
    };
    const cases = keyBytes.flatMap((bytes) =>
      [0, 1, 15, 16, 17, 1023, 65_536, 1_000_003].map(
        (length) => [`${bytes}-byte key, ${length} bytes`, trip(bytes, length)] as const,
      ),
    );
    await runOwn(emit, `${name}: round trips`, implementation.name, Object.fromEntries(cases));
  }
}

export async function aesGcm(emit: Emit): Promise<void> {
  const implementations = aesGcmImplementations();
  expectNames(implementations, ["webcrypto", "noble"]);
  for (const implementation of implementations) {
    await runWycheproof<AeadGroup>(emit, {
      name: "aes_gcm_test.json",
      implementation: implementation.name,
      check: (test) => checkAead(implementation, test, test.result === "valid"),
      expected: { accepted: 116, rejected: 81, "nonce refused": 119 },
      outOfScope: ["nonce refused"],
    });
  }
  await aeadRoundTrips(emit, "AES-GCM", implementations, [16, 24, 32]);
}
