// The message format in the browser: the published messages of vectors/aws-esdk, and sealing and opening with Web Streams. It must
// not know how a message is laid out.
import {
  type DecryptOptions,
  Envelope,
  type EnvelopeOptions,
  inspect,
  isFengniError,
  rawAesKey,
  rawRsaKey,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  type UnwrappingKey,
  type WrappingKey,
} from "@fengni/core";
import { bytesToHex, concatBytes, hexToBytes } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import { generateRsaKey } from "@fengni/crypto/rsa";
import {
  type Emit,
  equal,
  failureOf,
  flipped,
  patternOf,
  readVectorFile,
  readVectorJson,
  refused,
  runCases,
  runOwn,
  same,
} from "./harness.js";

interface VectorKeyring {
  readonly type: "raw-aes" | "raw-rsa" | "static-data-key";
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly padding: "pkcs1" | "oaep-sha1" | "oaep-sha256" | "oaep-sha384" | "oaep-sha512";
  readonly publicOnly?: boolean;
  readonly dataKeyHex: string;
}

interface VectorCase {
  readonly id: string;
  readonly origin: string;
  readonly ciphertext: string;
  readonly plaintext?: string;
  readonly plaintextSha256?: string;
  readonly encryptionContext?: Readonly<Record<string, string>>;
  readonly keyrings: readonly VectorKeyring[];
  readonly reproducedEncryptionContext?: Readonly<Record<string, string>>;
  readonly options?: {
    readonly maxEncryptedDataKeys?: number;
    readonly commitmentPolicy?: "require-encrypt-require-decrypt";
  };
  readonly expect: "accept" | "reject";
  readonly why?: string;
  /** The check that the vectors' own reader stopped at. */
  readonly failsAt?: string;
}

type VectorKeys = Readonly<Record<string, { readonly hex: string } & Record<"privateKeyPem" | "publicKeyPem", string>>>;

/** What the reader must answer, by the check that the vectors' own reader stopped at; every other check is one of form. */
const REFUSALS: Readonly<Record<string, readonly string[]>> = {
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

function unwrappingKeyOf(keyring: VectorKeyring, keys: VectorKeys): UnwrappingKey {
  const { namespace, name, padding } = keyring;
  if (keyring.type === "static-data-key") {
    // A key that is longer than the suite needs is cut to length.
    const dataKey = hexToBytes(keyring.dataKeyHex);
    return { name: "static", unwrapDataKey: async ({ dataKeyBytes }) => dataKey.slice(0, dataKeyBytes) };
  }
  const key = keys[keyring.key];
  if (key === undefined) throw new Error(`keys.json lacks ${keyring.key}`);
  if (keyring.type === "raw-aes") return rawAesKey({ namespace, name, key: hexToBytes(key.hex) });
  const half = keyring.publicOnly === true ? { publicKey: key.publicKeyPem } : { privateKey: key.privateKeyPem };
  return rawRsaKey({ namespace, name, padding, ...half });
}

/** One way to read a whole message. */
type Reading = (envelope: Envelope, message: Uint8Array, options: DecryptOptions) => Promise<Uint8Array>;

/** A stream of bytes, in chunks of a length. */
function streamOf(bytes: Uint8Array, length: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at + length));
      at += length;
    },
  });
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) pieces.push(read.value);
  return concatBytes(...pieces);
}

const readings: Readonly<Record<string, Reading>> = {
  whole: async (envelope, message, options) => (await envelope.decrypt(message, options)).plaintext,
  "Web Streams": (envelope, message, options) =>
    collect(streamOf(message, 997).pipeThrough(envelope.decryptStream(options))),
};

async function awsVectors(emit: Emit): Promise<void> {
  const keys = (await readVectorJson("aws-esdk/keys.json")) as VectorKeys;
  const { cases } = (await readVectorJson("aws-esdk/manifest.json")) as { readonly cases: readonly VectorCase[] };
  for (const [name, read] of Object.entries(readings)) {
    await runCases(emit, {
      file: "aws-esdk/manifest.json",
      implementation: name,
      cases,
      // 13 of the messages to be opened are wrapped by RSA PKCS#1 v1.5, which WebCrypto does not have.
      expected: { opened: 227, "not supported": 13, refused: 165 },
      outOfScope: ["not supported"],
      nameOf: (vector) => `${vector.id} (${vector.expect}, ${vector.why ?? vector.origin})`,
      check: async (vector) => {
        const { keyrings, options, reproducedEncryptionContext: reproducedContext } = vector;
        const envelope = new Envelope({
          wrappingKeys: [],
          unwrappingKeys: keyrings.map((keyring) => unwrappingKeyOf(keyring, keys)),
          commitmentPolicy: options?.commitmentPolicy ?? "require-encrypt-allow-decrypt",
          ...(options?.maxEncryptedDataKeys !== undefined && { maxEncryptedDataKeys: options.maxEncryptedDataKeys }),
        });
        const message = await readVectorFile(`aws-esdk/${vector.ciphertext}`);
        const opened = () => read(envelope, message, reproducedContext === undefined ? {} : { reproducedContext });
        if (vector.expect === "reject") {
          await refused(opened, ...(REFUSALS[vector.failsAt ?? ""] ?? ["ERR_MESSAGE_INVALID"]));
          return "refused";
        }
        if (keyrings.every(({ padding }) => padding === "pkcs1")) {
          const error = await failureOf(opened);
          equal(error.code, "ERR_UNWRAP_FAILED", "code");
          equal(isFengniError(error.cause, "ERR_NOT_SUPPORTED"), true, "its cause is ERR_NOT_SUPPORTED");
          return "not supported";
        }
        const plaintext = await opened();
        equal(bytesToHex(digest("sha256", plaintext)), vector.plaintextSha256, "SHA-256 of the plaintext");
        same(plaintext, await readVectorFile(`aws-esdk/${vector.plaintext}`), "plaintext");
        return "opened";
      },
    });
  }
}

const encryptionContext = { tenant: "7", text: "张三" };

/** Seals whole and as a stream, opens whole and as a stream, for lengths around the frames. */
function trip(options: EnvelopeOptions, length: number): () => Promise<void> {
  return async () => {
    const envelope = new Envelope({ frameLength: 4096, ...options });
    const plaintext = patternOf(length);
    const whole = await envelope.encrypt(plaintext, { encryptionContext });
    const streamed = await collect(
      streamOf(plaintext, 1000).pipeThrough(envelope.encryptStream({ encryptionContext })),
    );
    for (const message of [whole, streamed]) {
      equal(
        { ...inspect(message).encryptionContext, "aws-crypto-public-key": undefined },
        encryptionContext,
        "context",
      );
      for (const read of Object.values(readings)) same(await read(envelope, message, { encryptionContext }), plaintext);
      await refused(() => envelope.decrypt(message, { encryptionContext: { tenant: "8" } }), "ERR_CONTEXT_MISMATCH");
      for (const read of Object.values(readings)) {
        // The last byte is of the tag, or of the signature, before which the tag lies.
        for (const fromEnd of options.suite === SUITE_COMMITTED_SIGNED ? [1, 110] : [1]) {
          const changed = flipped(message, message.length - fromEnd);
          await refused(() => read(envelope, changed, {}), "ERR_AUTHENTICATION");
        }
        await refused(() => read(envelope, message.subarray(0, message.length - 1), {}), "ERR_MESSAGE_TRUNCATED");
      }
    }
    envelope.close();
  };
}

async function roundTrips(emit: Emit): Promise<void> {
  const rsaKey = await generateRsaKey(2048);
  const keys: Readonly<Record<string, WrappingKey>> = {
    "raw AES": rawAesKey({ namespace: "test", name: "aes", key: patternOf(32) }),
    "raw RSA": rawRsaKey({
      namespace: "test",
      name: "rsa",
      padding: "oaep-sha256",
      publicKey: rsaKey.exportSpki(),
      privateKey: rsaKey.exportPkcs8(),
    }),
  };
  const suites = { committed: SUITE_COMMITTED, "committed and signed": SUITE_COMMITTED_SIGNED };
  const cases: Record<string, () => Promise<void>> = {};
  for (const [keyName, key] of Object.entries(keys)) {
    for (const [suiteName, suite] of Object.entries(suites)) {
      for (const length of [0, 1, 4095, 4096, 4097, 100_000]) {
        cases[`${keyName}, ${suiteName}, ${length} bytes`] = trip({ wrappingKeys: [key], suite }, length);
      }
    }
  }
  const aes = keys["raw AES"] as WrappingKey;
  cases["with a data-key cache"] = trip({ wrappingKeys: [aes], cache: { maxAgeMs: 60_000 } }, 5000);
  cases["under two keys"] = trip({ wrappingKeys: Object.values(keys) }, 5000);
  cases["text"] = async () => {
    const envelope = new Envelope({ wrappingKeys: [aes] });
    equal(await envelope.decryptText(await envelope.encrypt("张三 🔑")), "张三 🔑", "text");
  };
  await runOwn(emit, "Envelope: round trips", "core", cases);
}

export async function core(emit: Emit): Promise<void> {
  await awsVectors(emit);
  await roundTrips(emit);
}
