// A reader of messages of the suites of our own, written from docs/message-format.md alone: it shares no code with the
// library but ML-DSA on runtimes whose node:crypto has none. Whole messages only, framed ones.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  createVerify,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { importMlDsaPublicKey } from "@fengni/crypto/ml-dsa";
import { sm2 } from "sm-crypto-v2";

/** What the table of suites says of one. */
interface Row {
  readonly hash: "sm3" | "sha512";
  readonly keyLength: 16 | 32;
  /** Whose id the derivation of the message key takes. */
  readonly bodyId: number;
  readonly signature?: "SM2" | "ML-DSA-65" | "ECDSA";
}

const ROWS: Readonly<Record<number, Row>> = {
  61736: { hash: "sm3", keyLength: 16, bodyId: 0xf128 },
  61992: { hash: "sm3", keyLength: 16, bodyId: 0xf228, signature: "SM2" },
  62328: { hash: "sha512", keyLength: 32, bodyId: 0xf378, signature: "ML-DSA-65" },
  62584: { hash: "sha512", keyLength: 32, bodyId: 0x0478 },
  62840: { hash: "sha512", keyLength: 32, bodyId: 0x0578, signature: "ECDSA" },
};

/** What the reader found. */
export interface OwnMessage {
  readonly suite: number;
  readonly messageId: Buffer;
  readonly commitment: Buffer;
  readonly context: Readonly<Record<string, string>>;
  readonly plaintext: Buffer;
  /** The frames, without header and footer. */
  readonly body: Buffer;
}

/** Reads one message, or throws. `unstored` is the serialised context that is not stored. */
export function readOwnMessage(message: Buffer, dataKey: Buffer, unstored: Buffer): OwnMessage {
  let offset = 0;
  const take = (length: number): Buffer => {
    if (offset + length > message.length) throw new Error("truncated");
    offset += length;
    return message.subarray(offset - length, offset);
  };
  const u16 = (): number => take(2).readUInt16BE();
  const u32 = (): number => take(4).readUInt32BE();

  if (take(1)[0] !== 2) throw new Error("version");
  const suite = u16();
  const row = ROWS[suite];
  if (row === undefined) throw new Error("suite");
  const messageId = take(32);
  const context = readContext(take(u16()));
  for (let keys = u16(); keys > 0; keys--) for (let field = 0; field < 3; field++) take(u16());
  if (take(1)[0] !== 2) throw new Error("not framed");
  const frameLength = u32();
  const commitment = take(32);
  const headerBody = message.subarray(0, offset);

  const prk = createHmac(row.hash, messageId).update(dataKey).digest();
  const expand = (info: Buffer, length: number): Buffer => hkdfExpand(row.hash, prk, info, length);
  const bodyKey = expand(Buffer.concat([u16Bytes(row.bodyId), Buffer.from("DERIVEKEY")]), row.keyLength);
  if (!timingSafeEqual(commitment, expand(Buffer.from("COMMITKEY"), 32))) throw new Error("commitment");
  const headerDigest = createHash(row.hash).update(headerBody).update(unstored).digest();
  const headerInfo = Buffer.concat([u16Bytes(suite), Buffer.from("HEADERKEY"), headerDigest]);
  const open = row.hash === "sm3" ? openSm4Gcm : openAesGcm;
  const headerAad = Buffer.concat([headerBody, unstored]);
  open(expand(headerInfo, row.keyLength), Buffer.alloc(12), headerAad, Buffer.alloc(0), take(16));

  const bodyStart = offset;
  const plaintext: Buffer[] = [];
  for (let expected = 1, isFinal = false; !isFinal; expected++) {
    const mark = u32();
    isFinal = mark === 0xffffffff;
    const sequence = isFinal ? u32() : mark;
    if (sequence !== expected) throw new Error("sequence");
    const iv = take(12);
    const length = isFinal ? u32() : frameLength;
    const ciphertext = take(length);
    const aad = Buffer.concat([
      messageId,
      Buffer.from(`AWSKMSEncryptionClient ${isFinal ? "Final " : ""}Frame`),
      u32Bytes(sequence),
      u32Bytes(0),
      u32Bytes(length),
    ]);
    plaintext.push(open(bodyKey, iv, aad, ciphertext, take(16)));
  }
  const body = message.subarray(bodyStart, offset);
  if (row.signature !== undefined) {
    const signed = message.subarray(0, offset);
    const name = row.signature === "ECDSA" ? "aws-crypto-public-key" : "fengni-public-key";
    const publicKey = Buffer.from(context[name] ?? "", "base64");
    if (!verifySignature(row.signature, publicKey, signed, take(u16()))) throw new Error("signature");
  }
  if (offset !== message.length) throw new Error("bytes after the end");
  return { suite, messageId, commitment, context, plaintext: Buffer.concat(plaintext), body };
}

function readContext(bytes: Buffer): Record<string, string> {
  const context: Record<string, string> = Object.create(null);
  if (bytes.length === 0) return context;
  let offset = 2;
  const text = (): string => {
    const start = offset + 2;
    offset = start + bytes.readUInt16BE(offset);
    return bytes.toString("utf8", start, offset);
  };
  for (let pairs = bytes.readUInt16BE(0); pairs > 0; pairs--) {
    const key = text();
    context[key] = text();
  }
  return context;
}

function u16Bytes(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 0xff]);
}

function u32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function hkdfExpand(hash: string, prk: Buffer, info: Buffer, length: number): Buffer {
  let block = Buffer.alloc(0);
  let key = Buffer.alloc(0);
  for (let counter = 1; key.length < length; counter++) {
    block = createHmac(hash, prk)
      .update(block)
      .update(info)
      .update(Buffer.from([counter]))
      .digest();
    key = Buffer.concat([key, block]);
  }
  return key.subarray(0, length);
}

type Open = (key: Buffer, iv: Buffer, aad: Buffer, ciphertext: Buffer, tag: Buffer) => Buffer;

const openAesGcm: Open = (key, iv, aad, ciphertext, tag) => {
  const decipher = createDecipheriv("aes-256-gcm", key, iv).setAAD(aad).setAuthTag(tag);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
};

/** SM4-GCM by SM4 in ECB mode: NIST SP 800-38D with another block cipher, as RFC 8998 has it. */
const openSm4Gcm: Open = (key, iv, aad, ciphertext, tag) => {
  const encrypt = (block: Buffer): Buffer => createCipheriv("sm4-ecb", key, null).setAutoPadding(false).update(block);
  const keyStream = (counter: number): Buffer => encrypt(Buffer.concat([iv, u32Bytes(counter)]));
  const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, i) => byte ^ (b[i] as number)));

  const lengths = Buffer.alloc(16);
  lengths.writeBigUInt64BE(BigInt(aad.length) * 8n, 0);
  lengths.writeBigUInt64BE(BigInt(ciphertext.length) * 8n, 8);
  const hashed = ghash(encrypt(Buffer.alloc(16)), Buffer.concat([padded(aad), padded(ciphertext), lengths]));
  if (!timingSafeEqual(xor(hashed, keyStream(1)), tag)) throw new Error("tag");
  const plaintext: Buffer[] = [];
  for (let i = 0; i * 16 < ciphertext.length; i++) {
    plaintext.push(xor(ciphertext.subarray(i * 16, i * 16 + 16), keyStream(i + 2)));
  }
  return Buffer.concat(plaintext);
};

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16)]);
}

function ghash(key: Buffer, blocks: Buffer): Buffer {
  const number = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString("hex")}`);
  const h = number(key);
  let y = 0n;
  for (let i = 0; i < blocks.length; i += 16) {
    const x = y ^ number(blocks.subarray(i, i + 16));
    let product = 0n;
    let v = h;
    for (let bit = 127n; bit >= 0n; bit--) {
      if ((x >> bit) & 1n) product ^= v;
      v = v & 1n ? (v >> 1n) ^ (0xe1n << 120n) : v >> 1n;
    }
    y = product;
  }
  return Buffer.from(y.toString(16).padStart(32, "0"), "hex");
}

/** SubjectPublicKeyInfo up to the key: of a compressed point of P-384, and of ML-DSA-65. */
const P384_SPKI = "3046301006072a8648ce3d020106052b81040022033200";
const ML_DSA_65_SPKI = "308207b2300b0609608648016503040312038207a100";

function verifySignature(
  algorithm: NonNullable<Row["signature"]>,
  publicKey: Buffer,
  signed: Buffer,
  signature: Buffer,
): boolean {
  if (algorithm === "SM2") {
    const options = { der: true, hash: true, userId: "1234567812345678" };
    return sm2.doVerifySignature(signed, signature.toString("hex"), publicKey.toString("hex"), options);
  }
  if (algorithm === "ECDSA") {
    const key = createPublicKey({ key: spki(P384_SPKI, publicKey), format: "der", type: "spki" });
    return createVerify("sha384").update(signed).verify(key, signature);
  }
  const digest = createHash("sha512").update(signed).digest();
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 24) return importMlDsaPublicKey("ML-DSA-65", publicKey).verify(digest, signature);
  const key = createPublicKey({ key: spki(ML_DSA_65_SPKI, publicKey), format: "der", type: "spki" });
  return verify(null, digest, key, signature);
}

function spki(prefix: string, key: Buffer): Buffer {
  return Buffer.concat([Buffer.from(prefix, "hex"), key]);
}
