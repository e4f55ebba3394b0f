// @ts-check
// The thread that seals and opens regular frames for parallel streams (message format, section "Framed body"): AES-GCM over
// the places that each job names, and nothing else. Plain JavaScript, so that the sources, the ES modules and the CommonJS
// build run the same file. Must know nothing of the format (heads, IVs and AADs are written by the thread that sends the job),
// and keep no key longer than its job.
import { createCipheriv, createDecipheriv } from "node:crypto";
import { parentPort } from "node:worker_threads";

/** @typedef {import("./parallel-pool.js").FrameJob} FrameJob */
/** @typedef {import("./parallel-pool.js").FrameReply} FrameReply */
/** @typedef {Pick<FrameReply, "outputs" | "around">} FrameOutput */

const IV_BYTES = 12;
const TAG_BYTES = 16;
const OPTIONS = { authTagLength: TAG_BYTES };
/** Outputs of shorter frames are gathered, up to about this length in bytes; those of longer ones are not copied. */
const GATHERED_BYTES = 32 * 1024;
const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);

/**
 * Returns the ciphertexts and what stands around them, or of short frames whole sealed frames. No plaintext is left.
 * @param {FrameJob} job
 * @returns {FrameOutput}
 */
function seal({ key, buffer, frames, frameLength, stride, ivAt, textAt, aadAt, aadLength }) {
  const name = algorithm(key);
  const isShort = frameLength < GATHERED_BYTES;
  const outputs = [];
  const bytes = new Uint8Array(buffer);
  const around = isShort ? undefined : new Uint8Array(frames * (stride - frameLength));
  let end = 0;
  for (let i = 0; i < frames; i++) {
    const frame = i * stride;
    const text = new Uint8Array(buffer, frame + textAt, frameLength);
    const cipher = createCipheriv(name, key, new Uint8Array(buffer, frame + ivAt, IV_BYTES), OPTIONS);
    cipher.setAAD(new Uint8Array(buffer, aadAt + i * aadLength, aadLength));
    const ciphertext = cipher.update(text);
    cipher.final();
    const tag = cipher.getAuthTag();
    if (around === undefined) {
      text.set(ciphertext);
      bytes.set(tag, frame + textAt + frameLength);
    } else {
      text.fill(0);
      outputs.push(owned(ciphertext));
      // Byte by byte: for so few a view costs more.
      for (let at = 0; at < textAt; at++) around[end++] = /** @type {number} */ (bytes[frame + at]);
      around.set(tag, end);
      end += TAG_BYTES;
    }
  }
  return around === undefined
    ? { outputs: gathered(buffer, frames, stride), around }
    : { outputs, around: around.buffer };
}

/**
 * Returns the plaintexts, of short frames joined; undefined if a tag does not fit. No plaintext is left in the buffer.
 * @param {FrameJob} job
 * @returns {FrameOutput}
 */
function open({ key, buffer, frames, frameLength, stride, ivAt, textAt, aadAt, aadLength }) {
  const name = algorithm(key);
  const isShort = frameLength < GATHERED_BYTES;
  const outputs = [];
  for (let i = 0; i < frames; i++) {
    const frame = i * stride;
    const decipher = createDecipheriv(name, key, new Uint8Array(buffer, frame + ivAt, IV_BYTES), OPTIONS);
    decipher.setAAD(new Uint8Array(buffer, aadAt + i * aadLength, aadLength));
    decipher.setAuthTag(new Uint8Array(buffer, frame + textAt + frameLength, TAG_BYTES));
    const plaintext = decipher.update(new Uint8Array(buffer, frame + textAt, frameLength));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      for (const bytes of [...outputs, buffer]) new Uint8Array(bytes).fill(0);
      return { outputs: undefined, around: undefined };
    }
    if (isShort) {
      // Never over a frame that is still to be opened: plaintexts are shorter than the frames that hold them.
      new Uint8Array(buffer, i * frameLength, frameLength).set(plaintext);
      plaintext.fill(0);
    } else {
      outputs.push(owned(plaintext));
    }
  }
  if (!isShort) return { outputs, around: undefined };
  const joined = gathered(buffer, frames, frameLength);
  new Uint8Array(buffer, 0, frames * frameLength).fill(0);
  return { outputs: joined, around: undefined };
}

/**
 * The bytes in a buffer of their own, which can be transferred.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
function owned(bytes) {
  if (bytes.length === bytes.buffer.byteLength) return bytes.buffer;
  const copy = new Uint8Array(bytes);
  bytes.fill(0);
  return copy.buffer;
}

/**
 * Copies of neighbours that stand one behind the other from the start, several to a piece.
 * @param {ArrayBuffer} buffer
 * @param {number} count
 * @param {number} length
 */
function gathered(buffer, count, length) {
  const step = Math.ceil(GATHERED_BYTES / length) * length;
  const pieces = [];
  for (let at = 0; at < count * length; at += step) {
    pieces.push(buffer.slice(at, Math.min(at + step, count * length)));
  }
  return pieces;
}

/** @param {import("node:crypto").KeyObject} key */
function algorithm(key) {
  const bits = 8 * /** @type {16 | 24 | 32} */ (key.symmetricKeySize);
  return /** @type {import("node:crypto").CipherGCMTypes} */ (`aes-${bits}-gcm`);
}

port.postMessage("ready");
port.on("message", (/** @type {FrameJob} */ job) => {
  const { outputs, around } = job.kind === "seal" ? seal(job) : open(job);
  /** @type {FrameReply} */
  const reply = { id: job.id, buffer: job.buffer, outputs, around };
  port.postMessage(reply, [job.buffer, ...(outputs ?? []), ...(around === undefined ? [] : [around])]);
});
