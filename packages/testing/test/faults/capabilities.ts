// Providers that declare what they are not, or do what they do not declare.
import { FengniError, type ProviderOperation } from "@fengni/core";
import { caughtBy, claiming, type Fault, inAdmin, inProvider, inSubject, overriding } from "./support.js";

const without = (operations: readonly ProviderOperation[], name: ProviderOperation): readonly ProviderOperation[] =>
  operations.filter((operation) => operation !== name);

export const capabilitiesFaults: readonly Fault[] = caughtBy("capabilities", [
  inSubject("an operation that works is not claimed", ({ provider }) => ({
    provider: claiming(provider, { operations: without(provider.capabilities.operations, "reEncrypt") }),
  })),
  inSubject("an unclaimed operation rejects with another code", ({ provider }) => ({
    provider: claiming(
      overriding(provider, {
        reEncrypt: async () => {
          throw new FengniError("ERR_DENIED", "this provider does not re-encrypt");
        },
      }),
      { operations: without(provider.capabilities.operations, "reEncrypt") },
    ),
  })),
  inSubject("an unclaimed operation throws at once", ({ provider }) => ({
    provider: claiming(
      overriding(provider, {
        postQuantumEncrypt: () => {
          throw new FengniError("ERR_NOT_SUPPORTED", "no post-quantum keys");
        },
      }),
      { operations: without(provider.capabilities.operations, "postQuantumEncrypt") },
    ),
  })),
  inSubject("an admin operation that works is not claimed", ({ admin }) => ({
    admin: overriding(admin, { operations: admin.operations.filter((name) => name !== "updateDescription") }),
  })),
  inAdmin("an unclaimed admin operation does nothing and says nothing", ({ operations }) => ({
    operations: operations.filter((name) => name !== "archiveKey"),
    archiveKey: async () => {},
  })),
  inSubject("it has no name", ({ provider }) => ({ provider: overriding(provider, { providerId: "" }) })),
  inSubject("the longest data key is shorter than the shortest", ({ provider }) => ({
    provider: claiming(provider, { dataKeyBytes: { minimum: 32, maximum: 16 } }),
  })),
  inSubject("it claims to sign, with no algorithm", ({ provider }) => ({
    provider: claiming(provider, { signatureAlgorithms: [] }),
  })),
  inSubject("an operation is claimed twice", ({ provider }) => ({
    provider: claiming(provider, { operations: [...provider.capabilities.operations, "decrypt"] }),
  })),
  inSubject("what it claims changes", ({ provider }) => {
    let maxMessageBytes = 4096;
    return {
      provider: new Proxy(provider, {
        get(target, name) {
          if (name === "capabilities") return { ...provider.capabilities, maxMessageBytes: maxMessageBytes++ };
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      }),
    };
  }),
  inProvider(
    "an unknown signature algorithm becomes a known one",
    (right) => ({
      sign: (request, options) => {
        const algorithm = right.capabilities.signatureAlgorithms.find((name) => name === request.algorithm) ?? "SM2DSA";
        return right.sign({ ...request, algorithm }, options);
      },
      verify: (request, options) => {
        const known = right.capabilities.signatureAlgorithms;
        const algorithm = known.find((name) => name === request.algorithm) ?? "ECDSA_P256_SHA_256";
        return right.verify({ ...request, algorithm }, options);
      },
    }),
    { signatureAlgorithms: ["ECDSA_P256_SHA_256", "SM2DSA"] },
  ),
  inProvider("algorithms are looked up in an object with a prototype", (right) => {
    const known: Record<string, unknown> = Object.fromEntries(
      right.capabilities.asymmetricEncryptionAlgorithms.map((name) => [name, name]),
    );
    return {
      asymmetricDecrypt: async (request, options) => {
        if (known[request.algorithm] === undefined) throw new FengniError("ERR_NOT_SUPPORTED", "unknown algorithm");
        const { algorithm } = request;
        const isOwn = Object.hasOwn(known, algorithm);
        return right.asymmetricDecrypt({ ...request, algorithm: isOwn ? algorithm : "RSAES_OAEP_SHA_1" }, options);
      },
    };
  }),
  inProvider("every name resolves to one key", (right, { keys }) => ({
    resolveKeyId: (_keyId, options) => right.resolveKeyId(keys.symmetric[0], options),
  })),
  inProvider("resolving adds something each time", (right) => ({
    resolveKeyId: async (keyId, options) =>
      `key/${await right.resolveKeyId(keyId.replace(/^(key\/)+/, ""), options)}/${keyId}`,
  })),
]);
