// Keys that rotate wrongly: too little, too late, or with loss.
import { FengniError } from "@fengni/core";
import type { InMemoryKey } from "../../src/in-memory-store.js";
import { caughtBy, type Fault, inAdmin, inParts, inSubject, overriding, turn, unless } from "./support.js";

export const rotationFaults: readonly Fault[] = caughtBy("rotation", [
  inParts("old versions are lost", ({ checkState }) => ({
    checkState(key, operation) {
      const newest = key.versions.at(-1);
      if (newest !== undefined) key.versions.fill(newest);
      checkState(key, operation);
    },
  })),
  inParts("all but the last two versions are lost", ({ checkState }) => ({
    checkState(key, operation) {
      const { versions } = key;
      for (let index = 0; index < versions.length - 2; index++)
        versions[index] = versions[index + 1] as InMemoryKey["versions"][number];
      checkState(key, operation);
    },
  })),
  inAdmin("rotation changes nothing", () => ({ rotateKey: async () => {} })),
  inAdmin("rotation gives two versions", (right) => ({
    rotateKey: async (keyId, options) => {
      await right.rotateKey(keyId, options);
      await right.rotateKey(keyId, options);
    },
  })),
  inAdmin("rotation is not remembered", (right) => ({
    describeKey: async (keyId, options) => {
      const { lastRotatedAtMs: _lost, ...key } = await right.describeKey(keyId, options);
      return key;
    },
  })),
  inAdmin("a rotated key is disabled", (right) => ({
    rotateKey: async (keyId, options) => {
      await right.rotateKey(keyId, options);
      await right.disableKey(keyId, options);
    },
  })),
  inSubject("the id of a rotated key names its version", ({ provider, admin }) => ({
    provider: overriding(provider, {
      decrypt: async (request, options) => {
        const answer = await provider.decrypt(request, options);
        const { versions = 1 } = await admin.describeKey(answer.keyId, options);
        return { ...answer, keyId: versions > 1 ? `${answer.keyId}/${versions}` : answer.keyId };
      },
    }),
  })),
  inSubject("ciphertexts grow with the versions", ({ provider, admin }) => {
    const originals = new Map<string, Uint8Array>();
    return {
      provider: overriding(provider, {
        encrypt: async (request, options) => {
          const answer = await provider.encrypt(request, options);
          const { versions = 1 } = await admin.describeKey(request.keyId, options);
          const ciphertext = Uint8Array.of(...answer.ciphertext, ...new Uint8Array(versions));
          originals.set(ciphertext.join(), answer.ciphertext);
          return { ...answer, ciphertext };
        },
        decrypt: (request, options) =>
          provider.decrypt(
            { ...request, ciphertext: originals.get(request.ciphertext.join()) ?? request.ciphertext },
            options,
          ),
      }),
    };
  }),
  inSubject("nothing is sealed while a key rotates", ({ provider, admin }) => {
    let isRotating = false;
    return {
      provider: overriding(provider, {
        encrypt: async (request, options) => {
          if (isRotating) throw new FengniError("ERR_CONFLICT", "this key rotates", { retryable: true });
          return provider.encrypt(request, options);
        },
      }),
      admin: overriding(admin, {
        rotateKey: async (keyId, options) => {
          isRotating = true;
          await turn();
          await admin.rotateKey(keyId, options);
          isRotating = false;
        },
      }),
    };
  }),
  inSubject("the first of a key's versions that a sibling saw is the only one it opens", ({ sibling }) => ({
    sibling: async () => {
      const right = await sibling();
      return overriding(right, {
        decrypt: async (request, options) => {
          if (request.ciphertext[18] !== 1) throw new FengniError("ERR_CIPHERTEXT_INVALID", "no such version");
          return right.decrypt(request, options);
        },
      });
    },
  })),
  inSubject("a sibling does not see that a key is disabled", ({ sibling, admin }) => ({
    sibling: async () => {
      const right = await sibling();
      return overriding(right, {
        decrypt: async (request, options) =>
          unless(right.decrypt(request, options), "ERR_KEY_STATE", async () => {
            const keyId = request.keyId ?? Buffer.from(request.ciphertext.subarray(1, 17)).toString("hex");
            await admin.enableKey(keyId);
            return right.decrypt(request, options);
          }),
      });
    },
  })),
  inAdmin("signing keys rotate too", (right) => ({
    rotateKey: (keyId, options) => unless(right.rotateKey(keyId, options), "ERR_KEY_USAGE", () => {}),
  })),
  inAdmin("a schedule is kept, and never carried out", (right) => {
    const periods = new Map<string, number>();
    return {
      enableKeyRotation: async (keyId, days, options) => {
        await right.enableKeyRotation(keyId, days, options);
        await right.disableKeyRotation(keyId, options);
        periods.set(keyId, days);
      },
      describeKey: async (keyId, options) => {
        const key = await right.describeKey(keyId, options);
        const days = periods.get(keyId);
        if (days === undefined) return key;
        return { ...key, rotationPeriodDays: days, nextRotationAtMs: key.createdAtMs + days * 86_400_000 };
      },
    };
  }),
  inAdmin("a schedule takes a day longer than it says", (right) => ({
    enableKeyRotation: async (keyId, days, options) => {
      await right.enableKeyRotation(keyId, days, options);
      await right.enableKeyRotation(keyId, days + 1, options);
    },
    describeKey: async (keyId, options) => {
      const key = await right.describeKey(keyId, options);
      if (key.rotationPeriodDays !== 8) return key;
      return { ...key, rotationPeriodDays: 7, nextRotationAtMs: (key.nextRotationAtMs ?? 0) - 86_400_000 };
    },
  })),
  inAdmin("any period will do, and is made one that is allowed", (right) => ({
    enableKeyRotation: (keyId, days, options) =>
      right.enableKeyRotation(keyId, Math.min(365, Math.max(7, Math.floor(days))), options),
  })),
  inAdmin("a schedule cannot be ended", () => ({ disableKeyRotation: async () => {} })),
  inAdmin("a schedule is carried out once", (right) => ({
    describeKey: async (keyId, options) => {
      const key = await right.describeKey(keyId, options);
      if ((key.versions ?? 1) > 1 && key.rotationPeriodDays !== undefined)
        return { ...key, nextRotationAtMs: key.createdAtMs + 7 * 86_400_000 };
      return key;
    },
  })),
  inSubject("re-encryption of an old version gives it back", ({ provider }) => ({
    provider: overriding(provider, {
      reEncrypt: async (request, options) => {
        const answer = await provider.reEncrypt(request, options);
        const isSame =
          JSON.stringify(request.sourceEncryptionContext) === JSON.stringify(request.destinationEncryptionContext);
        return isSame ? { ...answer, ciphertext: Uint8Array.from(request.ciphertext) } : answer;
      },
    }),
  })),
]);
