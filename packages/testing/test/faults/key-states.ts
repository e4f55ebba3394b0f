// Providers that use keys whose state forbids it, or refuse what it allows.
import { FengniError, type KeyState, type ProviderOperation } from "@fengni/core";
import type { InMemoryKey } from "../../src/in-memory-store.js";
import { caughtBy, type Fault, inParts, inProvider, type Mistake, unless } from "./support.js";

/** A state that does not refuse some operations. */
function overlooks(name: string, state: KeyState, ...operations: readonly ProviderOperation[]): Mistake {
  return inParts(name, ({ checkState }) => ({
    checkState(key, operation) {
      if (key.state !== state || !operations.includes(operation)) checkState(key, operation);
    },
  }));
}

/** A state that refuses one operation more. */
function refuses(name: string, state: KeyState, refused: ProviderOperation): Mistake {
  return inParts(name, ({ checkState }) => ({
    checkState(key, operation) {
      checkState(key, operation);
      if (key.state === state && operation === refused) {
        throw new FengniError("ERR_KEY_STATE", `this key is ${state}`);
      }
    },
  }));
}

export const stateFaults: readonly Fault[] = caughtBy("key-lifecycle", [
  overlooks("a disabled key goes on opening", "disabled", "decrypt"),
  overlooks("a disabled key goes on sealing", "disabled", "encrypt"),
  overlooks("a disabled key goes on giving data keys", "disabled", "generateDataKey"),
  overlooks("a disabled key goes on signing", "disabled", "sign"),
  overlooks("a disabled key goes on verifying", "disabled", "verify"),
  overlooks("a disabled key goes on decrypting what others encrypted", "disabled", "asymmetricDecrypt"),
  overlooks("a disabled post-quantum key goes on opening", "disabled", "postQuantumDecrypt"),
  overlooks("an archived key goes on sealing", "archived", "encrypt"),
  overlooks("an archived key goes on giving data keys", "archived", "generateDataKey"),
  overlooks("an archived key goes on signing", "archived", "sign"),
  overlooks("a key that waits for its deletion goes on opening", "pending-deletion", "decrypt"),
  overlooks("a key that waits for its deletion goes on sealing", "pending-deletion", "encrypt"),
  overlooks("a signing key that waits for its deletion goes on verifying", "pending-deletion", "verify"),
  refuses("an archived key opens nothing", "archived", "decrypt"),
  refuses("an archived key decrypts nothing", "archived", "asymmetricDecrypt"),
  refuses("an archived post-quantum key opens nothing", "archived", "postQuantumDecrypt"),
  inParts("the state that a key had first is remembered", ({ checkState }) => {
    const seen = new Map<string, InMemoryKey>();
    return {
      checkState(key, operation) {
        const first = seen.get(key.keyId) ?? { ...key };
        seen.set(key.keyId, first);
        checkState(first, operation);
      },
    };
  }),
  inParts("the state is looked at before the usage", ({ checkUsage, checkState }) => ({
    checkUsage(key, usages) {
      checkState(key, "decrypt");
      checkUsage(key, usages);
    },
  })),
  inParts("a state that forbids is an authentication failure", ({ checkState }) => ({
    checkState(key, operation) {
      try {
        checkState(key, operation);
      } catch {
        throw new FengniError("ERR_DENIED", "this key may not be used");
      }
    },
  })),
  inProvider("re-encryption does not look at the source's state", (right) => {
    const plaintexts = new Map<string, Uint8Array>();
    return {
      encrypt: async (request, options) => {
        const answer = await right.encrypt(request, options);
        plaintexts.set(answer.ciphertext.join(), Uint8Array.from(request.plaintext));
        return answer;
      },
      reEncrypt: (request, options) =>
        unless(right.reEncrypt(request, options), "ERR_KEY_STATE", async () => {
          const plaintext = plaintexts.get(request.ciphertext.join()) ?? new Uint8Array(1);
          const keyId = request.destinationKeyId ?? "";
          return { ...(await right.encrypt({ keyId, plaintext }, options)), sourceKeyId: keyId };
        }),
    };
  }),
  inProvider("the public key of a disabled key is refused as a usage", (right, { admin }) => ({
    sign: async (request, options) => {
      const { state } = await admin.describeKey(request.keyId, options);
      if (state !== "enabled") throw new FengniError("ERR_KEY_USAGE", "this key signs nothing");
      return right.sign(request, options);
    },
  })),
]);
