// Providers that change or keep their callers' bytes, or give out their own.
import { concatBytes } from "@fengni/crypto/bytes";
import { caughtBy, type Fault, inProvider, inSubject, turn } from "./support.js";

/** The whole memory under some bytes, as code sees it that forgets where they begin. */
const underlying = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer).slice(0, bytes.length);

export const bufferFaults: readonly Fault[] = caughtBy("buffers", [
  inProvider("opened plaintexts are kept, and given out again", (right) => {
    const kept = new Map<string, ReturnType<typeof right.decrypt>>();
    return {
      decrypt: (request, options) => {
        if (!(request.ciphertext instanceof Uint8Array) || request.encryptionContext !== undefined) {
          return right.decrypt(request, options);
        }
        const name = `${request.ciphertext.join()} ${request.keyId}`;
        const opening = kept.get(name) ?? right.decrypt(request, options);
        kept.set(name, opening);
        return opening;
      },
    };
  }),
  inProvider("a public key is kept, and given out again", (right) => {
    const kept = new Map<string, ReturnType<typeof right.getPublicKey>>();
    return {
      getPublicKey: (request, options) => {
        const answer = kept.get(request.keyId) ?? right.getPublicKey(request, options);
        kept.set(request.keyId, answer);
        return answer;
      },
    };
  }),
  inProvider("every answer is in the same buffer", (right) => {
    const buffer = new Uint8Array(8192);
    return {
      encrypt: async (request, options) => {
        const answer = await right.encrypt(request, options);
        buffer.set(answer.ciphertext);
        return { ...answer, ciphertext: buffer.subarray(0, answer.ciphertext.length) };
      },
    };
  }),
  inProvider("the plaintext of a request is kept as it is", (right) => {
    const plaintexts = new Map<string, Uint8Array>();
    return {
      encrypt: async (request, options) => {
        const sealed = await right.encrypt(request, options);
        plaintexts.set(sealed.ciphertext.join(), request.plaintext);
        return sealed;
      },
      decrypt: async (request, options) => {
        const opened = await right.decrypt(request, options);
        return { ...opened, plaintext: Uint8Array.from(plaintexts.get(request.ciphertext.join()) ?? opened.plaintext) };
      },
    };
  }),
  inProvider("the context of a request is kept as it is", (right) => {
    const contexts = new Map<string, Readonly<Record<string, string>>>();
    return {
      encrypt: async (request, options) => {
        const { keyId, plaintext, encryptionContext } = request;
        if (encryptionContext === undefined) return right.encrypt(request, options);
        const sealed = await right.encrypt({ keyId, plaintext }, options);
        contexts.set(sealed.ciphertext.join(), encryptionContext);
        return sealed;
      },
      decrypt: async (request, options) => {
        const context = contexts.get(request.ciphertext.join());
        const given = request.encryptionContext ?? {};
        const isSame = context !== undefined && Object.entries(context).every(([key, value]) => given[key] === value);
        const { encryptionContext: _context, ...rest } = request;
        return right.decrypt(isSame ? rest : request, options);
      },
    };
  }),
  inProvider("the plaintext of a request is wiped", (right) => ({
    encrypt: async (request, options) => {
      const answer = await right.encrypt(request, options);
      request.plaintext.fill(0);
      return answer;
    },
  })),
  inProvider("the plaintext of a request is wiped a moment after the answer", (right) => ({
    encrypt: async (request, options) => {
      const answer = await right.encrypt(request, options);
      setImmediate(() => request.plaintext.fill(0));
      return answer;
    },
  })),
  inProvider("the ciphertext of a request is opened in place", (right) => ({
    decrypt: async (request, options) => {
      const answer = await right.decrypt(request, options);
      request.ciphertext.set(answer.plaintext.subarray(0, request.ciphertext.length));
      return answer;
    },
  })),
  inProvider("an answer is wiped a moment later", (right) => ({
    decrypt: async (request, options) => {
      const answer = await right.decrypt(request, options);
      void turn().then(() => answer.plaintext.fill(0));
      return answer;
    },
  })),
  inProvider("a data key is wiped a moment later", (right) => ({
    generateDataKey: async (request, options) => {
      const answer = await right.generateDataKey(request, options);
      void turn().then(() => answer.plaintext.fill(0));
      return answer;
    },
  })),
  inProvider("plaintext and ciphertext of a data key overlap", (right) => ({
    generateDataKey: async (request, options) => {
      const answer = await right.generateDataKey(request, options);
      const both = concatBytes(answer.plaintext, answer.ciphertext);
      return { ...answer, plaintext: both.subarray(0, answer.plaintext.length), ciphertext: both };
    },
  })),
  inProvider("an answer holds the message that was asked about", (right) => ({
    verify: async (request, options) => ({ ...(await right.verify(request, options)), message: request.message }),
  })),
  inProvider("a message is read from where its buffer begins", (right) => ({
    sign: async (request, options) =>
      right.sign(
        request.message instanceof Uint8Array ? { ...request, message: underlying(request.message) } : request,
        options,
      ),
  })),
  inProvider("a plaintext is read from where its buffer begins", (right) => ({
    encrypt: async (request, options) =>
      right.encrypt(
        request.plaintext instanceof Uint8Array ? { ...request, plaintext: underlying(request.plaintext) } : request,
        options,
      ),
  })),
  inProvider("a ciphertext is read from where its buffer begins", (right) => ({
    decrypt: async (request, options) =>
      right.decrypt(
        request.ciphertext instanceof Uint8Array ? { ...request, ciphertext: underlying(request.ciphertext) } : request,
        options,
      ),
  })),
  inProvider("a signature's message is read from where its buffer begins", (right) => ({
    verify: async (request, options) =>
      right.verify(
        request.message instanceof Uint8Array ? { ...request, message: underlying(request.message) } : request,
        options,
      ),
  })),
  inProvider("only plain Uint8Arrays are bytes", (right) => ({
    decrypt: async (request, options) => {
      const isPlain = Object.getPrototypeOf(request.ciphertext) === Uint8Array.prototype;
      if (!isPlain) throw Object.assign(new TypeError("ciphertext expected a Uint8Array"), { code: "ERR_ARGUMENT" });
      return right.decrypt(request, options);
    },
  })),
  inProvider("a request is completed in place", (right) => ({
    encrypt: async (request, options) => {
      Object.assign(request, { encryptionContext: request.encryptionContext ?? {} });
      return right.encrypt(request, options);
    },
  })),
  inProvider("a context is sorted in place", (right) => ({
    encrypt: async (request, options) => {
      const context = request.encryptionContext as Record<string, string> | undefined;
      for (const [key, value] of Object.entries(context ?? {}).sort()) {
        if (context !== undefined) {
          delete context[key];
          context[key] = value;
        }
      }
      return right.encrypt(request, options);
    },
  })),
  inSubject("a message is hashed in place", ({ provider }) => ({
    provider: new Proxy(provider, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== "sign" || typeof value !== "function")
          return typeof value === "function" ? value.bind(target) : value;
        return async (request: { readonly message: Uint8Array }, options: unknown) => {
          const answer: unknown = await Reflect.apply(value, target, [request, options]);
          request.message.reverse();
          return answer;
        };
      },
    }),
  })),
]);
