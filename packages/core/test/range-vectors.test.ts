// Messages of other writers, to read in part and to rewrap: every layout of a body that they make, and every fault.
import { type DecryptOptions, Envelope, type MessageHeader } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { cases, envelopeOptionsOf, readVectorFile, type VectorCase } from "../../../test/support/aws-esdk.js";
import { refusal, testKey } from "./support.js";

const newKey = testKey("new", 2);
const after = new Envelope({ wrappingKeys: [newKey] });

function optionsOf({ reproducedEncryptionContext }: VectorCase): DecryptOptions {
  return reproducedEncryptionContext === undefined ? {} : { reproducedContext: reproducedEncryptionContext };
}

function named(expected: VectorCase["expect"]): (readonly [string, VectorCase])[] {
  return cases.filter((vector) => vector.expect === expected).map((vector) => [vector.id, vector] as const);
}

/** Opens what the vector's keys wrapped, and wraps under a key of the test's own. */
function rewrapper(vector: VectorCase): Envelope {
  const { wrappingKeys, unwrappingKeys = [], ...others } = envelopeOptionsOf(vector);
  return new Envelope({ ...others, wrappingKeys: [newKey], unwrappingKeys: [...wrappingKeys, ...unwrappingKeys] });
}

describe("a message of another writer", () => {
  test.each(named("accept"))("%s", async (_id, vector) => {
    const message = readVectorFile(vector.ciphertext);
    const plaintext = new Uint8Array(readVectorFile(vector.plaintext as string));
    const options = optionsOf(vector);
    const { header }: { header: MessageHeader } = await new Envelope(envelopeOptionsOf(vector)).decrypt(
      message,
      options,
    );
    const opening = new Envelope(envelopeOptionsOf(vector)).openRange(message, {
      ...options,
      allowUnverifiedSignature: true,
    });
    if (header.contentType === "non-framed") {
      await refusal(opening, "ERR_MESSAGE_UNSUPPORTED");
    } else {
      const reader = await opening;
      expect(reader.plaintextLength).toBe(plaintext.length);
      const { length } = plaintext;
      for (const [start, end] of [
        [0, length],
        [length >> 1, (length >> 1) + 1],
        [length >> 2, length - (length >> 2)],
        [Math.max(0, length - 1), length],
      ] as const) {
        expect(Buffer.compare(await reader.read(start, end), plaintext.subarray(start, end))).toBe(0);
      }
    }

    const rewrapping = rewrapper(vector).rewrap(message, options);
    if (header.version === 1 || header.contentType === "non-framed") {
      await refusal(rewrapping, "ERR_NOT_SUPPORTED");
      return;
    }
    const opened = await after.decrypt(await rewrapping, options);
    expect(Buffer.compare(opened.plaintext, plaintext)).toBe(0);
    expect(opened.header.suite.id).toBe(header.suite.signed ? "0xf578" : "0xf478");
  });
});

describe("a message that is refused whole", () => {
  test.each(named("reject"))("is refused in part and rewrapped: %s", async (_id, vector) => {
    const message = readVectorFile(vector.ciphertext);
    const options = optionsOf(vector);
    const inPart = async (): Promise<void> => {
      const envelope = new Envelope(envelopeOptionsOf(vector));
      const reader = await envelope.openRange(message, { ...options, allowUnverifiedSignature: true });
      await reader.read(0, reader.plaintextLength);
    };
    // Of a signature only its length is looked at, where unverified ones are allowed.
    if (vector.failsAt !== "signature") await refusal(inPart());
    const rewrapped = async (): Promise<void> => {
      await after.decrypt(await rewrapper(vector).rewrap(message, options), options);
    };
    await refusal(rewrapped());
  });
});
