// Admins that take key material wrongly.
import { FengniError, type ImportKeyMaterialRequest, type KeyAdmin } from "@fengni/core";
import { concatBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { caughtBy, doubleOf, type Fault, inAdmin, inParts, type Mistake, overriding, unless } from "./support.js";

/** An admin that says it took what it refused, when `isTaken` finds so. */
function takes(
  name: string,
  isTaken: (request: ImportKeyMaterialRequest, error: Error, right: KeyAdmin) => boolean | Promise<boolean>,
): Mistake {
  return inAdmin(name, (right) => ({
    importKeyMaterial: async (request, options) => {
      try {
        await right.importKeyMaterial(request, options);
      } catch (error) {
        if (!(error instanceof Error) || !(await isTaken(request, error, right))) throw error;
      }
    },
  }));
}

export const importFaults: readonly Fault[] = caughtBy("import", [
  takes("other material is taken than the key had", (_request, error) => error.message.includes("other material")),
  takes("material of any length is taken", (_request, error) => error.message.includes("bytes")),
  takes("the token of another key is taken", (_request, error) => error.message.includes("token")),
  takes("material that has expired is taken", (_request, error) => error instanceof TypeError),
  takes(
    "what does not unwrap is taken",
    (_request, error) => error instanceof FengniError && error.code !== "ERR_KEY_INVALID",
  ),
  {
    name: "a token serves for ever",
    make: () => {
      const double = doubleOf();
      const { admin } = double;
      const given = new Set<string>();
      return {
        ...double,
        admin: overriding(admin, {
          getParametersForImport: async (keyId, wrapping, options) => {
            const parameters = await admin.getParametersForImport(keyId, wrapping, options);
            given.add(`${parameters.keyId} ${parameters.importToken.join()}`);
            return parameters;
          },
          importKeyMaterial: (request, options) =>
            unless(admin.importKeyMaterial(request, options), "ERR_KEY_INVALID", () => {
              if (
                given.has(`${request.keyId} ${request.importToken.join()}`) &&
                request.encryptedKeyMaterial.length === 256
              )
                return;
              throw new FengniError("ERR_KEY_INVALID", "not this token");
            }),
        }),
      };
    },
  },
  inAdmin("the expiry of material is lost", (right) => {
    const validity = new Map<string, number>();
    return {
      importKeyMaterial: async (request, options) => {
        if (request.validToMs !== undefined && request.validToMs < 1_767_225_600_000)
          return right.importKeyMaterial(request, options);
        const { validToMs, ...rest } = request;
        await right.importKeyMaterial(rest, options);
        if (validToMs !== undefined) validity.set(request.keyId, validToMs);
      },
      describeKey: async (keyId, options) => {
        const key = await right.describeKey(keyId, options);
        const validToMs = validity.get(keyId);
        return { ...key, ...(validToMs !== undefined && { validToMs }) };
      },
    };
  }),
  inAdmin("the expiry of material is not described", (right) => ({
    describeKey: async (keyId, options) => {
      const { validToMs: _lost, ...key } = await right.describeKey(keyId, options);
      return key;
    },
  })),
  inAdmin("a new import keeps the old expiry", (right) => {
    const validity = new Map<string, number>();
    return {
      importKeyMaterial: async (request, options) => {
        const validToMs =
          request.validToMs ?? (validity.has(request.keyId) ? 1_767_225_600_000 + 7_200_000 : undefined);
        if (request.validToMs !== undefined) validity.set(request.keyId, request.validToMs);
        await right.importKeyMaterial({ ...request, ...(validToMs !== undefined && { validToMs }) }, options);
      },
    };
  }),
  inAdmin("the caller's wrapped material is wiped", (right) => ({
    importKeyMaterial: async (request, options) => {
      await right.importKeyMaterial(request, options);
      request.encryptedKeyMaterial.fill(0);
    },
  })),
  inAdmin("deleted material stays", () => ({ deleteImportedKeyMaterial: async () => {} })),
  inAdmin("a key without material is disabled", (right) => ({
    describeKey: async (keyId, options) => {
      const key = await right.describeKey(keyId, options);
      return key.state === "pending-import" ? { ...key, state: "disabled" } : key;
    },
  })),
  inAdmin("material can be imported once", (right) => {
    const imported = new Set<string>();
    return {
      importKeyMaterial: async (request, options) => {
        if (imported.has(request.keyId)) throw new FengniError("ERR_KEY_STATE", "this key had material");
        await right.importKeyMaterial(request, options);
        imported.add(request.keyId);
      },
    };
  }),
  {
    name: "what was sealed before another import does not open",
    make: () => {
      let imports = 0;
      const double = doubleOf(({ additionalData }) => ({
        additionalData: (header, context) => concatBytes(additionalData(header, context), utf8ToBytes(String(imports))),
      }));
      const { admin } = double;
      return {
        ...double,
        admin: overriding(admin, {
          importKeyMaterial: async (request, options) => {
            await admin.importKeyMaterial(request, options);
            imports += 1;
          },
        }),
      };
    },
  },
  inParts("the same material makes two keys one", () => ({
    additionalData: (_header, context) => context,
    checkMatch: () => {},
  })),
  inParts("the id in a ciphertext is not authenticated", () => ({ additionalData: (_header, context) => context })),
  inAdmin("keys of the provider's own take material", (right) => ({
    getParametersForImport: (keyId, wrapping, options) =>
      unless(right.getParametersForImport(keyId, wrapping, options), "ERR_KEY_USAGE", () => ({
        keyId,
        importToken: new Uint8Array(32),
        publicKey: new Uint8Array(294),
        validToMs: 1_767_312_000_000,
      })),
  })),
  inAdmin("keys of the provider's own lose their material", (right) => ({
    deleteImportedKeyMaterial: (keyId, options) =>
      unless(right.deleteImportedKeyMaterial(keyId, options), "ERR_KEY_USAGE", () => {}),
  })),
  inAdmin("keys of somebody's material rotate", (right) => ({
    rotateKey: (keyId, options) => unless(right.rotateKey(keyId, options), "ERR_KEY_USAGE", () => {}),
  })),
  inAdmin("a key that waits for import has a version", (right) => ({
    describeKey: async (keyId, options) => {
      const key = await right.describeKey(keyId, options);
      return { ...key, versions: Math.max(1, key.versions ?? 1) };
    },
  })),
  inAdmin("a key that waits for import has material of the provider's", (right) => ({
    createKey: async (request = {}, options) => {
      const { origin: _origin, ...rest } = request;
      return { ...(await right.createKey(rest, options)), origin: request.origin ?? "provider" };
    },
  })),
  inAdmin("parameters do not say when they expire", (right) => ({
    getParametersForImport: async (keyId, wrapping, options) => ({
      ...(await right.getParametersForImport(keyId, wrapping, options)),
      validToMs: 0,
    }),
  })),
]);
