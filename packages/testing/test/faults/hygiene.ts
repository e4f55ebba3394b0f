// Providers that let secrets out where they may be printed: errors, the objects themselves, and answers.
import { FengniError, type KeyAdmin, type KeyProvider } from "@fengni/core";
import { bytesToBase64, bytesToHex, concatBytes } from "@fengni/crypto/bytes";
import { generateRsaKey, importRsaPublicKey } from "@fengni/crypto/rsa";
import { caughtBy, type Fault, inParts, inProvider, inSubject, type Mistake, overriding } from "./support.js";

/** Errors of `encrypt` that hold what it was asked to encrypt. */
function leaking(name: string, leak: (error: FengniError, plaintext: Uint8Array) => Error): Mistake {
  return inProvider(name, (right) => ({
    encrypt: async (request, options) => {
      try {
        return await right.encrypt(request, options);
      } catch (error) {
        throw error instanceof FengniError && request.plaintext instanceof Uint8Array
          ? leak(error, request.plaintext)
          : error;
      }
    },
  }));
}

/** Plaintexts that stay with the provider, as `keep` puts them there. */
function keeping(name: string, keep: (holder: Record<PropertyKey, unknown>, plaintext: Uint8Array) => void): Mistake {
  return inSubject(name, ({ provider }) => {
    const holder: Record<PropertyKey, unknown> = {};
    const decrypt: KeyProvider["decrypt"] = async (request, options) => {
      const answer = await provider.decrypt(request, options);
      keep(holder, Uint8Array.from(answer.plaintext));
      return answer;
    };
    return { provider: overriding(overriding(provider, { decrypt }), holder) };
  });
}

const again = ({ code }: FengniError, message: string): FengniError => new FengniError(code, message);

/** An admin that unwraps key material with a key of its own, and shows it. */
function unwrapping(right: KeyAdmin, place: "error" | "property" | "description"): { readonly admin: KeyAdmin } {
  const own = generateRsaKey(2048);
  const theirs = new Map<string, Uint8Array>();
  const holder: Record<string, unknown> = {};
  let shown = "";
  const admin = overriding(overriding(right, holder), {
    getParametersForImport: async (keyId, wrapping, options) => {
      const parameters = await right.getParametersForImport(keyId, wrapping, options);
      theirs.set(keyId, parameters.publicKey);
      return { ...parameters, publicKey: Uint8Array.from((await own).exportSpki()) };
    },
    importKeyMaterial: async (request, options) => {
      const material = await (await own).decrypt("oaep-sha256", request.encryptedKeyMaterial);
      const spki = theirs.get(request.keyId) ?? new Uint8Array(0);
      const encryptedKeyMaterial = Uint8Array.from(await importRsaPublicKey(spki).encrypt("oaep-sha256", material));
      if (place === "property") holder["material"] = Uint8Array.from(material);
      if (place === "description") shown = bytesToHex(material);
      try {
        await right.importKeyMaterial({ ...request, encryptedKeyMaterial }, options);
      } catch (error) {
        if (place !== "error" || !(error instanceof FengniError)) throw error;
        throw again(error, `cannot import ${bytesToHex(material)}`);
      }
    },
    describeKey: async (keyId, options) => {
      const key = await right.describeKey(keyId, options);
      return { ...key, description: `${key.description}${shown}` };
    },
  });
  return { admin };
}

export const hygieneFaults: readonly Fault[] = caughtBy("hygiene", [
  leaking("an error has the plaintext in hex", (error, plaintext) =>
    again(error, `cannot encrypt ${bytesToHex(plaintext)}`),
  ),
  leaking("an error has the plaintext in base64", (error, plaintext) =>
    again(error, `cannot encrypt ${bytesToBase64(plaintext)}`),
  ),
  leaking("an error has the plaintext as text", (error, plaintext) =>
    again(error, `cannot encrypt ${new TextDecoder("latin1").decode(plaintext)}`),
  ),
  leaking("an error lists the bytes of the plaintext", (error, plaintext) =>
    again(error, `cannot encrypt [${plaintext.join(", ")}]`),
  ),
  leaking("an error's details are the request", (error, plaintext) =>
    Object.assign(again(error, "cannot encrypt"), { details: { plaintext } }),
  ),
  leaking(
    "an error's cause names the plaintext",
    (error, plaintext) => new FengniError(error.code, "cannot encrypt", { cause: new Error(bytesToHex(plaintext)) }),
  ),
  leaking("an error's hidden property is the plaintext", (error, plaintext) =>
    Object.defineProperty(again(error, "cannot encrypt"), "request", { value: { plaintext }, enumerable: false }),
  ),
  inProvider("an error of decrypt has what does not authenticate", (right) => {
    const plaintexts = new Map<string, Uint8Array>();
    return {
      encrypt: async (request, options) => {
        const sealed = await right.encrypt(request, options);
        plaintexts.set(bytesToHex(sealed.ciphertext), Uint8Array.from(request.plaintext));
        return sealed;
      },
      decrypt: async (request, options) => {
        try {
          return await right.decrypt(request, options);
        } catch (error) {
          const plaintext = plaintexts.get(bytesToHex(request.ciphertext));
          if (plaintext === undefined || !(error instanceof FengniError)) throw error;
          throw again(error, `the context is wrong for ${bytesToHex(plaintext)}`);
        }
      },
    };
  }),
  inProvider("an error of sign has the message", (right) => ({
    sign: async (request, options) => {
      try {
        return await right.sign(request, options);
      } catch (error) {
        if (!(error instanceof FengniError) || !(request.message instanceof Uint8Array)) throw error;
        throw again(error, `cannot sign ${bytesToHex(request.message)}`);
      }
    },
  })),
  inProvider("an argument error shows the argument", (right) => ({
    encrypt: async (request, options) => {
      if (request.plaintext instanceof Uint8Array) return right.encrypt(request, options);
      const message = `plaintext expected bytes, got ${JSON.stringify(request.plaintext)}`;
      throw Object.assign(new TypeError(message), { code: "ERR_ARGUMENT" });
    },
  })),
  keeping("the last plaintext stays a property", (holder, plaintext) => {
    holder["last"] = plaintext;
  }),
  keeping("the last plaintext stays a hidden property", (holder, plaintext) => {
    Object.defineProperty(holder, "last", { value: plaintext, enumerable: false, configurable: true });
  }),
  keeping("the last plaintext stays under a symbol", (holder, plaintext) => {
    holder[Symbol.for("last")] = plaintext;
  }),
  keeping("a public cache holds opened plaintexts", (holder, plaintext) => {
    const cache = (holder["cache"] ?? new Map()) as Map<number, { readonly opened: string }>;
    cache.set(cache.size, { opened: bytesToBase64(plaintext) });
    holder["cache"] = cache;
  }),
  keeping("toJSON shows the last plaintext", (holder, plaintext) => {
    holder["toJSON"] = () => ({ last: bytesToHex(plaintext) });
  }),
  keeping("toString shows the last plaintext", (holder, plaintext) => {
    holder["toString"] = () => `provider, last used for ${bytesToHex(plaintext)}`;
  }),
  keeping("inspecting it shows the last plaintext", (holder, plaintext) => {
    holder[Symbol.for("nodejs.util.inspect.custom")] = () => `Provider { last: ${bytesToHex(plaintext)} }`;
  }),
  inParts("a plaintext is in its ciphertext, written in hex", () => {
    return {
      seal: async (aead, nonce, additionalData, plaintext) => {
        const sealed = await aead.seal(nonce, additionalData, plaintext);
        return {
          ...sealed,
          ciphertext: concatBytes(sealed.ciphertext, new TextEncoder().encode(bytesToHex(plaintext))),
        };
      },
      open: (aead, { nonce, ciphertext, tag }, additionalData) =>
        aead.open(nonce, additionalData, ciphertext.subarray(0, ciphertext.length / 3), tag),
    };
  }),
  inProvider("what comes with a data key has it in hex", (right) => ({
    generateDataKey: async (request, options) => {
      const made = await right.generateDataKey(request, options);
      return { ...made, description: `data key ${bytesToHex(made.plaintext)}` };
    },
  })),
  inSubject("the provider keeps its last data key where anybody can read it", ({ provider }) => {
    const holder: Record<string, unknown> = {};
    return {
      provider: overriding(overriding(provider, holder), {
        generateDataKey: async (request, options) => {
          const made = await provider.generateDataKey(request, options);
          holder["lastDataKey"] = { bytes: Uint8Array.from(made.plaintext) };
          return made;
        },
      }),
    };
  }),
  inSubject("an error of an import has the material", ({ admin }) => unwrapping(admin, "error")),
  inSubject("the admin keeps imported material", ({ admin }) => unwrapping(admin, "property")),
  inSubject("a key's description shows imported material", ({ admin }) => unwrapping(admin, "description")),
]);
