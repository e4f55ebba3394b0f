// The committed vectors of the suites of our own, read by an independent reader and by the library; and messages written
// today, read by the independent reader: what docs/message-format.md says is enough to read them.
import { readdirSync, readFileSync } from "node:fs";
import {
  algorithmSuites,
  Envelope,
  formatSuiteId,
  rawAesKey,
  SUITE_COMMITTED_SIGNED_ML_DSA,
  SUITE_REWRAPPABLE,
  SUITE_REWRAPPABLE_SIGNED,
  SUITE_SM4,
  SUITE_SM4_SIGNED,
  serializeContext,
  type WrappingKey,
} from "@fengni/core";
import { describe, expect, test } from "vitest";
import { type OwnMessage, readOwnMessage } from "./own-suite-reader.js";
import { bytesOf } from "./support.js";

interface Vector {
  readonly comment: string;
  readonly suite: string;
  readonly messageId: string;
  readonly dataKey: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly unstoredContext: Readonly<Record<string, string>>;
  readonly plaintext: string;
  readonly message: string;
  /** The message that this one was made from by wrapping its data key anew. */
  readonly rewrapOf?: string;
}

interface VectorFile {
  readonly suite: string;
  readonly name: string;
  readonly wrappingKeys: readonly { readonly namespace: string; readonly name: string; readonly key: string }[];
  readonly vectors: readonly Vector[];
}

const folder = new URL("./fixtures/own-suites/", import.meta.url);
const files: readonly VectorFile[] = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")));
const vectors = files.flatMap((file) => file.vectors.map((vector) => ({ ...vector, file })));
const fromHex = (text: string): Buffer => Buffer.from(text, "hex");

function readByDocuments(vector: Vector): OwnMessage {
  const unstored = Buffer.from(serializeContext(vector.unstoredContext));
  return readOwnMessage(fromHex(vector.message), fromHex(vector.dataKey), unstored);
}

function envelopeOf(file: VectorFile): Envelope {
  const unwrappingKeys = file.wrappingKeys.map((key) => rawAesKey({ ...key, key: fromHex(key.key) }));
  return new Envelope({ wrappingKeys: [], unwrappingKeys });
}

test("there are vectors of every suite of our own, under its name", () => {
  const own = algorithmSuites().filter((suite) => suite.id >= 0xf000);
  const rows = own.map((suite) => [formatSuiteId(suite.id), suite.name]);
  expect(files.map((file) => [file.suite, file.name]).sort()).toEqual(rows.sort());
  for (const file of files) {
    expect(file.vectors.length).toBeGreaterThanOrEqual(4);
    expect(file.vectors.filter((vector) => vector.rewrapOf !== undefined)).toHaveLength(1);
    for (const vector of file.vectors) expect(vector.suite).toBe(file.suite);
  }
});

describe.each(vectors)("$suite: $comment", (vector) => {
  test("opens by the documents alone", () => {
    const found = readByDocuments(vector);
    expect(formatSuiteId(found.suite)).toBe(vector.suite);
    expect(found.messageId.toString("hex")).toBe(vector.messageId);
    expect(found.context).toMatchObject(vector.encryptionContext);
    expect(found.plaintext.toString("hex")).toBe(vector.plaintext);
  });

  test("opens by the library", async () => {
    const { plaintext, header } = await envelopeOf(vector.file).decrypt(fromHex(vector.message), {
      encryptionContext: { ...vector.encryptionContext, ...vector.unstoredContext },
      reproducedContext: vector.unstoredContext,
    });
    expect(Buffer.from(plaintext).toString("hex")).toBe(vector.plaintext);
    expect(header.suite.id).toBe(vector.suite);
    expect(header.encryptionContext).toMatchObject(vector.encryptionContext);
  });
});

describe.each(vectors.filter((vector) => vector.rewrapOf !== undefined))("$suite: $comment", (vector) => {
  test("has another header over the same frames", async () => {
    const before = fromHex(vector.rewrapOf ?? "");
    const opened = await envelopeOf(vector.file).decrypt(before, { reproducedContext: vector.unstoredContext });
    expect(Buffer.from(opened.plaintext).toString("hex")).toBe(vector.plaintext);
    const { headerLength, messageId } = opened.header;
    const { body, commitment } = readByDocuments(vector);
    expect(before.subarray(headerLength, headerLength + body.length).equals(body)).toBe(true);
    expect(before.subarray(headerLength - 48, headerLength - 16).equals(commitment)).toBe(true);
    expect(Buffer.from(messageId).toString("hex")).toBe(vector.messageId);
    const keys = opened.header.encryptedDataKeys.map((key) => Buffer.from(key.ciphertext).toString("hex"));
    for (const key of keys) expect(vector.message).not.toContain(key);
  });
});

test.each([
  ["0xf128", SUITE_SM4],
  ["0xf228", SUITE_SM4_SIGNED],
  ["0xf378", SUITE_COMMITTED_SIGNED_ML_DSA],
  ["0xf478", SUITE_REWRAPPABLE],
  ["0xf578", SUITE_REWRAPPABLE_SIGNED],
] as const)("the independent reader reads what is written now, suite %s", async (_name, suite) => {
  const inner = rawAesKey({ namespace: "test", name: "key", key: new Uint8Array(32).fill(7) });
  let dataKey = Buffer.alloc(0);
  const key: WrappingKey = {
    name: inner.name,
    wrapDataKey: (request, options) => inner.wrapDataKey(request, options),
    unwrapDataKey: (request, options) => inner.unwrapDataKey(request, options),
    generateDataKey: async (request, options) => {
      const answer = await inner.generateDataKey(request, options);
      dataKey = Buffer.from(answer.dataKey);
      return answer;
    },
  };
  const envelope = new Envelope({ wrappingKeys: [key], suite, frameLength: 20 });
  for (const length of [0, 1, 20, 47]) {
    const message = await envelope.encrypt(bytesOf(length), {
      encryptionContext: { a: "1", b: "2" },
      unstoredContextKeys: ["b"],
    });
    const unstored = Buffer.from(serializeContext({ b: "2" }));
    const found = readOwnMessage(Buffer.from(message), dataKey, unstored);
    expect(found.plaintext).toEqual(Buffer.from(bytesOf(length)));
    expect(found.context).toMatchObject({ a: "1" });
    const other = Buffer.from(serializeContext({ b: "3" }));
    expect(() => readOwnMessage(Buffer.from(message), dataKey, other)).toThrowError();
  }
});
