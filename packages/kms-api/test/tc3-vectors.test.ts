import { describe, expect, it } from "vitest";
import { createSigner, parseAuthorization, UNSIGNED_PAYLOAD, verifySignature } from "../src/index.js";
import {
  canonicalRequest,
  credentialScope,
  deriveSigningKey,
  hashPayload,
  sha256Hex,
  stringToSign,
  utcDate,
} from "../src/tc3-canonical.js";
import { readCanonical, received, secretId, secretKey, utf8, type Vector, vectorFile } from "./support.js";

const payloadOf = ({ hashedPayload }: Vector) =>
  hashedPayload === UNSIGNED_PAYLOAD ? UNSIGNED_PAYLOAD : utf8(hashedPayload);

it("has five vectors", () => {
  expect(vectorFile.vectors.map(({ id }) => id).join("")).toBe("ABCDE");
});

describe.each(vectorFile.vectors)("vector $id: $title", (vector) => {
  const { method, path, query, headers } = readCanonical(vector);

  it("is computed step by step", () => {
    const parts = {
      method,
      path,
      query,
      headers: Object.entries(headers),
      payloadHash: hashPayload(payloadOf(vector)),
    };
    expect(canonicalRequest(parts)).toBe(vector.canonicalRequest);
    expect(sha256Hex(utf8(vector.canonicalRequest))).toBe(vector.canonicalSha256);
    expect(utcDate(vector.timestamp)).toBe(vector.date);
    const scope = credentialScope(vector.date, vector.service);
    expect(stringToSign(String(vector.timestamp), scope, vector.canonicalRequest)).toBe(vector.stringToSign);
    expect(Buffer.from(deriveSigningKey(secretKey, vector.date, vector.service)).toString("hex")).toBe(vector.kSigning);
  });

  it("is signed", () => {
    const signer = createSigner({ secretId, secretKey, service: vector.service });
    const payload = payloadOf(vector);
    const signed = signer.sign({ method, path, query, headers, payload, timestampSeconds: vector.timestamp });
    expect(signed).toEqual({
      Authorization: vector.authorization,
      "X-TC-Timestamp": String(vector.timestamp),
      ...(payload === UNSIGNED_PAYLOAD ? { "X-TC-Content-SHA256": UNSIGNED_PAYLOAD } : {}),
    });
  });

  it("is read", () => {
    expect(parseAuthorization(vector.authorization)).toEqual({
      secretId,
      date: vector.date,
      service: vector.service,
      signedHeaders: Object.keys(headers),
      signature: vector.signature,
    });
  });

  it("is verified", () => {
    const secret = { secretKey };
    const verified = verifySignature(received(vector), (id) => (id === secretId ? secret : undefined), {
      nowSeconds: vector.timestamp,
      service: vector.service,
      allowUnsignedPayload: vector.id === "E",
    });
    expect(verified).toEqual({
      secretId,
      secret,
      service: vector.service,
      timestampSeconds: vector.timestamp,
      signedHeaders: Object.keys(headers),
      isPayloadSigned: vector.id !== "E",
    });
    expect(verified.secret).toBe(secret);
  });
});
