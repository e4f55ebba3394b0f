// What an exported public key must be: DER, and readable as one of its spec. It must not know providers.
import type { Assertions } from "./assert.js";

/** The tag of a DER SEQUENCE, with which every SubjectPublicKeyInfo begins; readers of keys may also take PEM and bare points. */
const SEQUENCE = 0x30;

/**
 * Fails unless bytes are a DER SubjectPublicKeyInfo.
 * @param read - throws for a key of another spec
 */
export async function expectSpki(
  check: Assertions,
  spec: string,
  publicKey: Uint8Array,
  read: (spki: Uint8Array) => unknown,
): Promise<void> {
  check.isBytes(publicKey, "getPublicKey: its publicKey");
  check.equal(publicKey[0], SEQUENCE, "getPublicKey: the first byte of a DER SubjectPublicKeyInfo");
  await check.resolves((async () => read(publicKey))(), `getPublicKey: a SubjectPublicKeyInfo of ${spec}`);
}
