// Providers whose signing keys are not what they say: others, in another form, or of another algorithm.
import { FengniError } from "@fengni/core";
import { caughtBy, type Fault, inProvider, signingWith, unless } from "./support.js";

const P256 = signingWith("ECDSA_P256_SHA_256");
const RSA = signingWith("RSA_PKCS1_SHA_256");

export const publicKeyFaults: readonly Fault[] = caughtBy("sign-verify", [
  inProvider(
    "every public key is the first key's",
    (right, { keys: { sign } }) => ({
      getPublicKey: async (request, options) => {
        const answer = await right.getPublicKey(request, options);
        const keyId = sign.ECDSA_P256_SHA_256?.[0] ?? request.keyId;
        return { ...answer, publicKey: (await right.getPublicKey({ keyId }, options)).publicKey };
      },
    }),
    P256,
  ),
  inProvider(
    "the public key is a point without its SubjectPublicKeyInfo",
    (right) => ({
      getPublicKey: async (request, options) => {
        const answer = await right.getPublicKey(request, options);
        return { ...answer, publicKey: answer.publicKey.slice(-65) };
      },
    }),
    P256,
  ),
  inProvider(
    "the public key is PKCS#1's, without its SubjectPublicKeyInfo",
    (right) => ({
      getPublicKey: async (request, options) => {
        const answer = await right.getPublicKey(request, options);
        return { ...answer, publicKey: answer.publicKey.slice(24) };
      },
    }),
    RSA,
  ),
  inProvider(
    "the public key is PEM",
    (right) => ({
      getPublicKey: async (request, options) => {
        const answer = await right.getPublicKey(request, options);
        const text = `-----BEGIN PUBLIC KEY-----\n${Buffer.from(answer.publicKey).toString("base64")}\n-----END PUBLIC KEY-----\n`;
        return { ...answer, publicKey: new TextEncoder().encode(text) };
      },
    }),
    RSA,
  ),
  inProvider(
    "the public key is of another spec than it says",
    (right) => ({
      getPublicKey: async (request, options) => ({
        ...(await right.getPublicKey(request, options)),
        keySpec: "ECC_P384",
      }),
    }),
    P256,
  ),
  inProvider(
    "the key signs as another one",
    (right, { keys: { sign } }) => ({
      sign: async (request, options) => {
        const [first] = sign[request.algorithm] ?? [request.keyId];
        const answer = await right.sign({ ...request, keyId: first }, options);
        return { ...answer, keyId: await right.resolveKeyId(request.keyId) };
      },
    }),
    P256,
  ),
  inProvider(
    "the key of another algorithm signs with its own",
    (right) => ({
      sign: (request, options) =>
        unless(right.sign(request, options), "ERR_KEY_USAGE", async () => {
          const algorithm = request.algorithm === "SM2DSA" ? "ECDSA_P256_SHA_256" : "SM2DSA";
          return right.sign({ ...request, algorithm }, options);
        }),
    }),
    signingWith("ECDSA_P256_SHA_256", "SM2DSA"),
  ),
  inProvider(
    "signatures do not say by which algorithm",
    (right) => ({
      sign: async (request, options) => ({ ...(await right.sign(request, options)), algorithm: "ECDSA" as "SM2DSA" }),
    }),
    P256,
  ),
  inProvider(
    "RSA signatures lose their zero bytes in front",
    (right) => ({
      sign: async (request, options) => {
        const answer = await right.sign(request, options);
        // One of 256 begins with a zero byte; here each does, by taking the first away.
        return { ...answer, signature: answer.signature.slice(1) };
      },
    }),
    RSA,
  ),
  inProvider(
    "an unknown key is unknown to its public key only as an argument",
    (right) => ({
      getPublicKey: async (request, options) =>
        right.getPublicKey(request, options).catch(() => {
          throw new FengniError("ERR_KEY_INVALID", "this key has no public key");
        }),
    }),
    P256,
  ),
]);
