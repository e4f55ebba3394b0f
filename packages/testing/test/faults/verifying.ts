// Providers that find valid what is not, or not valid what is.
import { authenticationError } from "@fengni/core";
import { bytesToHex, concatBytes } from "@fengni/crypto/bytes";
import { orderOf, readSignature, writeSignature } from "../../src/signature-encoding.js";
import { caughtBy, type Fault, inParts, inProvider, signingWith } from "./support.js";

const P256 = signingWith("ECDSA_P256_SHA_256");
const SM2 = signingWith("SM2DSA");
const RSA = signingWith("RSA_PKCS1_SHA_256");
const ML_DSA = signingWith("ML_DSA_65");

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(bytes)}`);
}

export const verifyingFaults: readonly Fault[] = caughtBy("sign-verify", [
  inParts(
    "every signature of the right length is valid",
    () => ({ verify: (_m, _a, _b, _t, signature) => signature.length === 256 }),
    RSA,
  ),
  inParts(
    "every DER signature is valid",
    () => ({ verify: (_m, _a, _b, _t, signature) => readSignature(signature) !== undefined }),
    P256,
  ),
  inParts("no signature is valid", () => ({ verify: () => false }), P256),
  inProvider(
    "a malformed signature rejects",
    (right) => ({
      verify: async (request, options) => {
        const verified = await right.verify(request, options);
        if (readSignature(request.signature) === undefined) throw authenticationError();
        return verified;
      },
    }),
    P256,
  ),
  inProvider(
    "a signature that does not verify rejects",
    (right) => ({
      verify: async (request, options) => {
        const verified = await right.verify(request, options);
        if (!verified.valid) throw authenticationError();
        return verified;
      },
    }),
    SM2,
  ),
  inProvider(
    "the signature of any key is valid",
    (right, { keys }) => ({
      verify: async (request, options) => {
        const pair = keys.sign[request.algorithm] ?? [];
        const all = await Promise.all(pair.map((keyId) => right.verify({ ...request, keyId }, options)));
        const verified = await right.verify(request, options);
        return { ...verified, valid: all.some(({ valid }) => valid) };
      },
    }),
    P256,
  ),
  inParts(
    "bytes after a signature are not looked at",
    ({ verify }) => ({
      verify: (material, algorithm, message, type, signature) =>
        verify(material, algorithm, message, type, signature.slice(0, (signature[1] ?? 0) + 2)),
    }),
    P256,
  ),
  inParts(
    "bytes after an ML-DSA signature are not looked at",
    ({ verify }) => ({
      verify: (material, algorithm, message, type, signature) =>
        verify(material, algorithm, message, type, signature.slice(0, 3309)),
    }),
    ML_DSA,
  ),
  inParts(
    "long forms of lengths are accepted",
    ({ verify }) => ({
      verify: (material, algorithm, message, type, signature) => {
        const skip = signature[1] === 0x82 ? 2 : signature[1] === 0x81 ? 1 : 0;
        const short = concatBytes(signature.subarray(0, 1), signature.subarray(1 + skip));
        return verify(material, algorithm, message, type, short);
      },
    }),
    P256,
  ),
  inParts(
    "r and s side by side are accepted too",
    ({ verify }) => ({
      verify: (material, algorithm, message, type, signature) => {
        if (signature.length !== 64) return verify(material, algorithm, message, type, signature);
        const numbers = { r: numberOf(signature.subarray(0, 32)), s: numberOf(signature.subarray(32)) };
        return verify(material, algorithm, message, type, writeSignature(numbers));
      },
    }),
    P256,
  ),
  inParts(
    "numbers beyond the order are reduced",
    ({ verify }) => ({
      verify: (material, algorithm, message, type, signature) => {
        const numbers = readSignature(signature);
        const order = orderOf(algorithm);
        if (numbers === undefined || order === undefined) return verify(material, algorithm, message, type, signature);
        const reduced = writeSignature({ r: numbers.r % order, s: numbers.s % order });
        return verify(material, algorithm, message, type, reduced);
      },
    }),
    SM2,
  ),
  inParts(
    "a high s is not accepted",
    ({ verify }) => ({
      verify: (material, algorithm, message, type, signature) => {
        const numbers = readSignature(signature);
        const isHigh = numbers !== undefined && 2n * numbers.s > (orderOf(algorithm) ?? 0n);
        return !isHigh && verify(material, algorithm, message, type, signature);
      },
    }),
    P256,
  ),
  inParts(
    "SM2 accepts n - s too",
    ({ verify }) => ({
      verify: async (material, algorithm, message, type, signature) => {
        if (await verify(material, algorithm, message, type, signature)) return true;
        const numbers = readSignature(signature);
        const order = orderOf(algorithm);
        if (numbers === undefined || order === undefined || numbers.s >= order) return false;
        return verify(material, algorithm, message, type, writeSignature({ ...numbers, s: order - numbers.s }));
      },
    }),
    SM2,
  ),
  inProvider(
    "either RSA scheme is accepted for the other",
    (right) => ({
      verify: async (request, options) => {
        const verified = await right.verify(request, options);
        if (verified.valid || !request.algorithm.startsWith("RSA")) return verified;
        const algorithm = request.algorithm === "RSA_PSS_SHA_256" ? "RSA_PKCS1_SHA_256" : "RSA_PSS_SHA_256";
        const other = await right.verify({ ...request, algorithm }, options);
        return { ...verified, valid: other.valid };
      },
    }),
    signingWith("RSA_PKCS1_SHA_256", "RSA_PSS_SHA_256"),
  ),
  inParts(
    "the last bytes of a signature are not looked at",
    ({ sign, verify }) => {
      const made = new Map<string, Uint8Array>();
      return {
        sign: async (material, algorithm, message, type) => {
          const signature = await sign(material, algorithm, message, type);
          made.set(bytesToHex(signature.subarray(0, 200)), signature);
          return signature;
        },
        verify: (material, algorithm, message, type, signature) =>
          verify(
            material,
            algorithm,
            message,
            type,
            (signature.length === 256 && made.get(bytesToHex(signature.subarray(0, 200)))) || signature,
          ),
      };
    },
    RSA,
  ),
]);
