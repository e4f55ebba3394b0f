// Signing and verifying under a key: checks of the request, and private keys made ready once. It must not know how a spec signs,
// nor stores.
import { FengniError, type PublicKeyResult, type SignRequest, type VerifyRequest } from "@fengni/core";
import { assertBytes } from "@fengni/crypto/bytes";
import { checkBytes, checkText, MAX_MESSAGE_BYTES, plainBytes, rangeError } from "./checks.js";
import { type KeyRecord, type KeyVersion, newestVersion, signingSpec, wrongUsage } from "./keys.js";
import { SIGNATURE_ALGORITHMS, type SigningKey, type SigningSpec } from "./specs.js";
import { stateAfter } from "./states.js";

/** Signs and verifies, and keeps imported private keys for as long as their key lives. */
export class Signers {
  #keys = new WeakMap<KeyVersion, SigningKey>();

  /** The signature, a new buffer. */
  sign(record: KeyRecord, request: SignRequest): Uint8Array {
    const { spec, messageType } = checkRequest(record, request);
    stateAfter("sign", record);
    return plainBytes(this.#keyOf(spec, record).sign(request.message, messageType));
  }

  /** Whether the signature is right. */
  verify(record: KeyRecord, request: VerifyRequest): boolean {
    const signature = assertBytes(request.signature, "signature");
    const { spec, messageType } = checkRequest(record, request);
    stateAfter("verify", record);
    return this.#keyOf(spec, record).verify(request.message, messageType, signature);
  }

  publicKey(record: KeyRecord): PublicKeyResult {
    const spec = signingSpec(record);
    stateAfter("getPublicKey", record);
    const publicKey = plainBytes(this.#keyOf(spec, record).publicKey());
    return { keyId: record.keyId, keySpec: record.keySpec, keyUsage: spec.usage, publicKey };
  }

  /** Forgets every private key. */
  clear(): void {
    this.#keys = new WeakMap();
  }

  #keyOf(spec: SigningSpec, record: KeyRecord): SigningKey {
    const { version } = newestVersion(record);
    let key = this.#keys.get(version);
    if (key === undefined) {
      key = spec.importKey(version.material.bytes());
      this.#keys.set(version, key);
    }
    return key;
  }
}

function checkRequest(record: KeyRecord, request: SignRequest): { spec: SigningSpec; messageType: "raw" | "digest" } {
  const algorithm = SIGNATURE_ALGORITHMS.find((known) => known === checkText("algorithm", request.algorithm));
  if (algorithm === undefined) {
    throw new FengniError(
      "ERR_NOT_SUPPORTED",
      `unknown signature algorithm: this KMS has ${SIGNATURE_ALGORITHMS.join(", ")}`,
      {
        details: { operation: `signature algorithm ${request.algorithm}` },
      },
    );
  }
  const messageType = request.messageType ?? "raw";
  if (messageType !== "raw" && messageType !== "digest") throw rangeError('messageType expected "raw" or "digest"');
  const spec = signingSpec(record);
  if (algorithm !== spec.algorithm) throw wrongUsage(record, `its signature algorithm is ${spec.algorithm}`);
  if (messageType === "digest") assertBytes(request.message, "message", spec.digestBytes);
  else checkBytes("message", request.message, MAX_MESSAGE_BYTES, "sign its digest");
  return { spec, messageType };
}
