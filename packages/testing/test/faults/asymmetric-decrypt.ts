// Providers that open with the wrong padding, format or key, or tell too much about what does not open.
import { type Capabilities, FengniError } from "@fengni/core";
import { concatBytes } from "@fengni/crypto/bytes";
import { rsaDecrypting, rsaTelling } from "./node-keys.js";
import { caughtBy, doubleOf, type Fault, inParts, inProvider } from "./support.js";

const opening = (
  ...asymmetricEncryptionAlgorithms: Capabilities["asymmetricEncryptionAlgorithms"]
): Partial<Capabilities> => ({ asymmetricEncryptionAlgorithms });

const OAEP_1 = opening("RSAES_OAEP_SHA_1");
const OAEP_256 = opening("RSAES_OAEP_SHA_256");
const PKCS1 = opening("RSAES_PKCS1_V1_5");
const SM2 = opening("SM2_C1C3C2_ASN1");

/** C2 and C3, the last two OCTET STRINGs, exchanged. Their lengths are of one byte here. */
function exchanged(ciphertext: Uint8Array): Uint8Array {
  let at = ciphertext[1] === 0x81 ? 3 : 2;
  const next = (): number => {
    const start = at;
    at += 2 + (ciphertext[at + 1] ?? 0);
    return start;
  };
  next();
  next();
  const third = next();
  return concatBytes(ciphertext.subarray(0, third), ciphertext.subarray(at), ciphertext.subarray(third, at));
}

export const asymmetricDecryptFaults: readonly Fault[] = caughtBy("asymmetric-decrypt", [
  inParts("OAEP has another hash", () => ({ createMaterial: rsaDecrypting("sha1") }), OAEP_256),
  inParts("OAEP has a longer hash", () => ({ createMaterial: rsaDecrypting("sha512") }), OAEP_256),
  inParts("PKCS#1 v1.5 serves for OAEP", () => ({ createMaterial: rsaDecrypting("pkcs1") }), OAEP_1),
  inParts(
    "OAEP opens with either hash",
    () => ({ createMaterial: rsaDecrypting("sha256", "sha1") }),
    opening("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
  ),
  inParts(
    "OAEP opens PKCS#1 v1.5 too",
    () => ({ createMaterial: rsaDecrypting("sha256", "pkcs1") }),
    opening("RSAES_PKCS1_V1_5", "RSAES_OAEP_SHA_256"),
  ),
  inParts(
    "PKCS#1 v1.5 tells when the type of the padding is wrong",
    () => ({
      createMaterial: rsaTelling((reason) =>
        reason === "type"
          ? new FengniError("ERR_CIPHERTEXT_INVALID", "no padding")
          : new FengniError("ERR_AUTHENTICATION", "no end"),
      ),
    }),
    PKCS1,
  ),
  inProvider(
    "SM2 ciphertexts have C2 before C3",
    (right) => ({
      asymmetricDecrypt: (request, options) =>
        right.asymmetricDecrypt({ ...request, ciphertext: exchanged(request.ciphertext) }, options),
    }),
    SM2,
  ),
  inProvider(
    "SM2 opens either order",
    (right) => ({
      asymmetricDecrypt: (request, options) =>
        right
          .asymmetricDecrypt(request, options)
          .catch(() => right.asymmetricDecrypt({ ...request, ciphertext: exchanged(request.ciphertext) }, options)),
    }),
    SM2,
  ),
  inProvider(
    "SM2 opens what has no ASN.1 too",
    (right) => ({
      asymmetricDecrypt: async (request, options) => {
        const { ciphertext } = request;
        if (!(ciphertext instanceof Uint8Array) || ciphertext[0] !== 4 || ciphertext.length < 97) {
          return right.asymmetricDecrypt(request, options);
        }
        const integer = (bytes: Uint8Array): Uint8Array => {
          const start = bytes.findIndex((byte) => byte !== 0);
          const shortest = bytes.subarray(start);
          const signed = (shortest[0] as number) >= 0x80 ? concatBytes(new Uint8Array(1), shortest) : shortest;
          return concatBytes(Uint8Array.of(2, signed.length), signed);
        };
        const string = (bytes: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(4, bytes.length), bytes);
        const [x, y] = [ciphertext.subarray(1, 33), ciphertext.subarray(33, 65)].map(integer) as [
          Uint8Array,
          Uint8Array,
        ];
        const body = concatBytes(x, y, string(ciphertext.subarray(65, 97)), string(ciphertext.subarray(97)));
        const length = body.length < 128 ? [body.length] : [0x81, body.length];
        const der = concatBytes(Uint8Array.of(0x30, ...length), body);
        return right.asymmetricDecrypt({ ...request, ciphertext: der }, options);
      },
    }),
    SM2,
  ),
  inProvider(
    "any key of the store opens",
    (right, { keys }) => ({
      asymmetricDecrypt: (request, options) =>
        right.asymmetricDecrypt(request, options).catch(async (error: unknown) => {
          for (const keyId of keys.asymmetricDecrypt[request.algorithm] ?? []) {
            const opened = await right.asymmetricDecrypt({ ...request, keyId }, options).catch(() => undefined);
            if (opened !== undefined) return opened;
          }
          throw error;
        }),
    }),
    OAEP_256,
  ),
  inProvider(
    "bytes after a ciphertext are not looked at",
    (right) => ({
      asymmetricDecrypt: (request, options) =>
        right.asymmetricDecrypt({ ...request, ciphertext: request.ciphertext.slice(0, 256) }, options),
    }),
    OAEP_256,
  ),
  inProvider(
    "zero bytes in front of a plaintext are lost",
    (right) => ({
      asymmetricDecrypt: async (request, options) => {
        const answer = await right.asymmetricDecrypt(request, options);
        const start = answer.plaintext.findIndex((byte) => byte !== 0);
        return { ...answer, plaintext: answer.plaintext.slice(start < 0 ? answer.plaintext.length : start) };
      },
    }),
    OAEP_256,
  ),
  inProvider(
    "what does not open gives no bytes",
    (right) => ({
      asymmetricDecrypt: (request, options) =>
        right.asymmetricDecrypt(request, options).catch(() => ({ keyId: request.keyId, plaintext: new Uint8Array(0) })),
    }),
    OAEP_256,
  ),
  inProvider(
    "the public key is the other key's",
    (right, { keys }) => ({
      getPublicKey: async (request, options) => {
        const pair = keys.asymmetricDecrypt.SM2_C1C3C2_ASN1 ?? [];
        const other = pair.find((keyId) => keyId !== request.keyId) ?? request.keyId;
        return { ...(await right.getPublicKey({ keyId: other }, options)), keyId: request.keyId };
      },
    }),
    SM2,
  ),
  inProvider(
    "the longest plaintexts do not open",
    (right) => ({
      asymmetricDecrypt: async (request, options) => {
        const answer = await right.asymmetricDecrypt(request, options);
        if (answer.plaintext.length > 128) throw new FengniError("ERR_LIMIT", "too long");
        return answer;
      },
    }),
    OAEP_1,
  ),
  inProvider(
    "a key of another algorithm is an unknown algorithm",
    (right) => ({
      asymmetricDecrypt: async (request, options) => {
        const { keySpec } = await right.getPublicKey({ keyId: request.keyId }, options);
        if ((keySpec === "SM2") !== (request.algorithm === "SM2_C1C3C2_ASN1")) {
          throw new FengniError("ERR_NOT_SUPPORTED", "this key does not know that algorithm");
        }
        return right.asymmetricDecrypt(request, options);
      },
    }),
    opening("RSAES_OAEP_SHA_256", "SM2_C1C3C2_ASN1"),
  ),
  {
    name: "the keys given are of another use",
    make: () => {
      const double = doubleOf();
      const pair = double.keys.sign.RSA_PSS_SHA_256 as readonly [string, string];
      return {
        ...double,
        keys: { ...double.keys, asymmetricDecrypt: { ...double.keys.asymmetricDecrypt, RSAES_OAEP_SHA_256: pair } },
      };
    },
  },
]);
