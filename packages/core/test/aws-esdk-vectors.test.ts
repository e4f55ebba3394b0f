import { createHash } from "node:crypto";
import { Envelope, type ErrorCode } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { cases, envelopeOptionsOf, readVectorFile, type VectorCase } from "../../../test/support/aws-esdk.js";
import { type Reading, readings, refusal } from "./support.js";

/** What the reader must answer, by the check that the vectors' own reader stopped at. */
const REFUSALS: Readonly<Record<string, readonly ErrorCode[]>> = {
  "header tag": ["ERR_AUTHENTICATION"],
  commitment: ["ERR_AUTHENTICATION"],
  signature: ["ERR_AUTHENTICATION"],
  "Unsupported state or unable to authenticate data": ["ERR_AUTHENTICATION"],
  "no edk decrypted": ["ERR_UNWRAP_FAILED", "ERR_NO_MATCHING_KEY"],
  truncated: ["ERR_MESSAGE_TRUNCATED"],
  version: ["ERR_MESSAGE_UNSUPPORTED"],
  suite: ["ERR_MESSAGE_UNSUPPORTED"],
  policy: ["ERR_MESSAGE_UNSUPPORTED"],
  reproduced: ["ERR_CONTEXT_MISMATCH"],
  "max edk": ["ERR_LIMIT"],
};
/** Every other check is one of form. */
const MALFORMED: readonly ErrorCode[] = ["ERR_MESSAGE_INVALID"];

async function check(vector: VectorCase, read: Reading): Promise<void> {
  const envelope = new Envelope(envelopeOptionsOf(vector));
  const message = readVectorFile(vector.ciphertext);
  const reproduced = vector.reproducedEncryptionContext;
  const opened = read(envelope, message, reproduced === undefined ? {} : { reproducedContext: reproduced });
  if (vector.expect === "reject") {
    await refusal(opened, ...(REFUSALS[vector.failsAt as string] ?? MALFORMED));
    return;
  }
  const plaintext = await opened;
  expect(createHash("sha256").update(plaintext).digest("hex")).toBe(vector.plaintextSha256);
  expect(Buffer.from(readVectorFile(vector.plaintext as string)).equals(plaintext)).toBe(true);
}

test("the manifest is whole", () => {
  expect(cases.length).toBe(405);
  expect(cases.filter((vector) => vector.expect === "accept").length).toBe(240);
  expect(cases.filter((vector) => vector.expect === "reject").length).toBe(165);
});

describe.each(Object.entries(readings))("AWS Encryption SDK vectors, %s", (_name, read) => {
  test.each(cases.map((vector) => [vector.id, vector.expect, vector.why ?? vector.origin, vector] as const))(
    "%s: %s (%s)",
    async (_id, _expect, _why, vector) => check(vector, read),
  );
});

test("a header's stored context is what the manifest says", async () => {
  let compared = 0;
  for (const vector of cases) {
    if (vector.expect !== "accept" || vector.encryptionContext === undefined) continue;
    const envelope = new Envelope(envelopeOptionsOf(vector));
    const reproduced = vector.reproducedEncryptionContext;
    const { header } = await envelope.decrypt(
      readVectorFile(vector.ciphertext),
      reproduced === undefined ? {} : { reproducedContext: reproduced },
    );
    expect({ ...header.encryptionContext }, vector.id).toEqual(vector.encryptionContext);
    compared += 1;
  }
  expect(compared).toBe(240);
});
