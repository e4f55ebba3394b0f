// Providers that mix up calls which run at once. One at a time, each of them is right.
import { type DecryptRequest, type EncryptRequest, FengniError } from "@fengni/core";
import { caughtBy, type Fault, inProvider, textOf, turn } from "./support.js";

/** Fewer algorithms, where signatures are what is wrong. */
const P256 = { signatureAlgorithms: ["ECDSA_P256_SHA_256"] } as const;
const SM2 = { asymmetricEncryptionAlgorithms: ["SM2_C1C3C2_ASN1"] } as const;

export const concurrencyFaults: readonly Fault[] = caughtBy("concurrency", [
  inProvider("the last request to encrypt wins", (right) => {
    let last: EncryptRequest;
    return {
      encrypt: async (request, options) => {
        last = request;
        await turn();
        return right.encrypt(last, options);
      },
    };
  }),
  inProvider("the last request to decrypt wins", (right) => {
    let last: DecryptRequest;
    return {
      decrypt: async (request, options) => {
        last = request;
        await turn();
        return right.decrypt(last, options);
      },
    };
  }),
  inProvider("the key of the last tenant is used", (right) => {
    let keyId = "";
    return {
      encrypt: async (request, options) => {
        keyId = request.keyId;
        await turn();
        return right.encrypt({ ...request, keyId }, options);
      },
    };
  }),
  inProvider("the context of the last tenant is used", (right) => {
    let context = {};
    return {
      generateDataKey: async (request, options) => {
        context = request.encryptionContext ?? {};
        await turn();
        return right.generateDataKey({ ...request, encryptionContext: context }, options);
      },
    };
  }),
  inProvider("plaintexts pass through one buffer", (right) => {
    const buffer = new Uint8Array(8192);
    return {
      encrypt: async (request, options) => {
        buffer.set(request.plaintext);
        await turn();
        return right.encrypt({ ...request, plaintext: buffer.slice(0, request.plaintext.length) }, options);
      },
    };
  }),
  inProvider("opened plaintexts pass through one buffer", (right) => {
    const buffer = new Uint8Array(8192);
    return {
      decrypt: async (request, options) => {
        const answer = await right.decrypt(request, options);
        buffer.set(answer.plaintext);
        await turn();
        return { ...answer, plaintext: buffer.slice(0, answer.plaintext.length) };
      },
    };
  }),
  inProvider("answers name the key of the call that ended last", (right) => {
    let keyId = "";
    return {
      encrypt: async (request, options) => {
        const answer = await right.encrypt(request, options);
        keyId = answer.keyId;
        await turn();
        return { ...answer, keyId };
      },
    };
  }),
  inProvider("requests for data keys that come at once share one", (right) => {
    const running = new Map<string, ReturnType<typeof right.generateDataKey>>();
    return {
      generateDataKey: async (request, options) => {
        const name = `${request.keyId} ${request.numberOfBytes}`;
        const made = running.get(name) ?? right.generateDataKey(request, options);
        running.set(name, made);
        await turn();
        running.delete(name);
        return { ...(await made) };
      },
    };
  }),
  inProvider("data keys that are made at once share their plaintext", (right) => {
    let shared: Promise<Uint8Array> | undefined;
    return {
      generateDataKey: async (request, options) => {
        shared ??= right.generateDataKey({ ...request, numberOfBytes: 64 }, options).then(({ plaintext }) => plaintext);
        const plaintext = (await shared).slice(0, request.numberOfBytes);
        await turn();
        shared = undefined;
        const { encryptionContext: context } = request;
        const sealed = await right.encrypt(
          { keyId: request.keyId, plaintext, ...(context && { encryptionContext: context }) },
          options,
        );
        return { ...sealed, plaintext };
      },
    };
  }),
  inProvider("a ciphertext that is being opened is opened for all who ask meanwhile", (right) => {
    const running = new Map<string, ReturnType<typeof right.decrypt>>();
    return {
      decrypt: async (request, options) => {
        const name = request.ciphertext.join();
        const opening = running.get(name) ?? right.decrypt(request, options);
        running.set(name, opening);
        try {
          const answer = await opening;
          await turn();
          return { ...answer, plaintext: Uint8Array.from(answer.plaintext) };
        } finally {
          running.delete(name);
        }
      },
    };
  }),
  inProvider("more than 100 calls at once are refused", (right) => {
    let running = 0;
    return {
      encrypt: async (request, options) => {
        if (running >= 100) throw new FengniError("ERR_THROTTLED", "too many at once", { retryable: true });
        running += 1;
        await turn();
        running -= 1;
        return right.encrypt(request, options);
      },
    };
  }),
  inProvider(
    "the calls that wait for their turn are forgotten",
    (right) => {
      let running = 0;
      const waiting: (() => void)[] = [];
      return {
        decrypt: async (request, options) => {
          if (running >= 32) await new Promise<void>((resolve) => waiting.push(resolve));
          running += 1;
          await turn();
          const answer = await right.decrypt(request, options);
          // Only what answers makes room: a call that is refused never does.
          running -= 1;
          waiting.shift()?.();
          return answer;
        },
      };
    },
    {},
    { callTimeoutMs: 500 },
  ),
  inProvider("what is kept of opened contexts is looked up by the wrong name", (right) => {
    const kept = new Map<string, Promise<Awaited<ReturnType<typeof right.decrypt>>>>();
    return {
      decrypt: async (request, options) => {
        const name = textOf(request.encryptionContext);
        const opening = kept.get(name) ?? right.decrypt(request, options);
        kept.set(name, opening);
        opening.catch(() => {});
        await turn();
        kept.delete(name);
        const answer = await opening;
        return { ...answer, plaintext: Uint8Array.from(answer.plaintext) };
      },
    };
  }),
  inProvider(
    "signatures pass through one buffer",
    (right) => {
      const buffer = new Uint8Array(4096);
      return {
        sign: async (request, options) => {
          const answer = await right.sign(request, options);
          buffer.set(answer.signature);
          await turn();
          return { ...answer, signature: buffer.slice(0, answer.signature.length) };
        },
      };
    },
    P256,
  ),
  inProvider(
    "the key of the last request signs",
    (right) => {
      let keyId = "";
      return {
        sign: async (request, options) => {
          keyId = request.keyId;
          await turn();
          return right.sign({ ...request, keyId }, options);
        },
      };
    },
    P256,
  ),
  inProvider(
    "the last message that came is signed",
    (right) => {
      let message = new Uint8Array(0);
      return {
        sign: async (request, options) => {
          message = Uint8Array.from(request.message);
          await turn();
          return right.sign({ ...request, message }, options);
        },
      };
    },
    P256,
  ),
  inProvider(
    "what private keys decrypt passes through one buffer",
    (right) => {
      const buffer = new Uint8Array(512);
      return {
        asymmetricDecrypt: async (request, options) => {
          const answer = await right.asymmetricDecrypt(request, options);
          buffer.set(answer.plaintext);
          await turn();
          return { ...answer, plaintext: buffer.slice(0, answer.plaintext.length) };
        },
      };
    },
    { ...SM2, ...P256 },
  ),
  inProvider(
    "the last post-quantum ciphertext is opened",
    (right) => {
      let ciphertext = new Uint8Array(0);
      return {
        postQuantumDecrypt: async (request, options) => {
          ciphertext = Uint8Array.from(request.ciphertext);
          await turn();
          const { keyId: _keyId, ...rest } = request;
          return right.postQuantumDecrypt({ ...rest, ciphertext }, options);
        },
      };
    },
    { ...SM2, ...P256 },
  ),
]);
