// The algorithm suite table: all that the code knows of a suite is its row here (message format, sections "Algorithm
// suites" and "Suites of our own"). Must know nothing of bytes on the wire.
import type { HashName } from "@fengni/crypto/hash";
import { OWN_PUBLIC_KEY_CONTEXT_KEY, PUBLIC_KEY_CONTEXT_KEY } from "./context.js";
import { FengniError } from "./errors.js";

/**
 * How a message is signed: ECDSA with SHA-256 or SHA-384 (FIPS 186-5), SM2 with SM3 (GB/T 32918.2), or ML-DSA-65 over the
 * SHA-512 (FIPS 204).
 */
export type SignatureAlgorithm = "ECDSA_P256" | "ECDSA_P384" | "SM2" | "ML_DSA_65";

/** One algorithm suite: a cipher in GCM with a 12-byte IV and a 16-byte tag, and what goes with it. */
export interface AlgorithmSuite {
  /** 16-bit id in the message. */
  readonly id: number;
  /** Name as in the specification, for people. */
  readonly name: string;
  /** Version of the message that carries it. */
  readonly messageVersion: 1 | 2;
  readonly cipher: "aes-gcm" | "sm4-gcm";
  /** Length of the data key, in bytes. */
  readonly dataKeyBytes: 16 | 24 | 32;
  /** Length of the message key, and of the header key, in bytes. */
  readonly messageKeyBytes: 16 | 24 | 32;
  /** Hash of the HKDF; absent: the data key is the message key. */
  readonly kdfHash?: HashName;
  /** Whether the message commits to its data key. */
  readonly committing: boolean;
  /** Whether the header is authenticated under the message key, as in the AWS suites, or under a key of its own. */
  readonly headerKey: "shared" | "own";
  /** The suite whose id goes into the derivation of the message key: another one's where its bodies are kept by a rewrap. */
  readonly bodySuiteId: number;
  /** The suite that a message of this one has once its data key is wrapped anew; absent: that cannot be done. */
  readonly rewrappedAs?: number;
  /** The message's signature; absent: not signed. */
  readonly signature?: SignatureAlgorithm;
}

/** What the AWS suites of message version 1 have in common. */
function v1(
  id: number,
  name: string,
  keyBytes: 16 | 24 | 32,
  kdfHash?: HashName,
  signature?: SignatureAlgorithm,
): AlgorithmSuite {
  return {
    id,
    name,
    messageVersion: 1,
    cipher: "aes-gcm",
    dataKeyBytes: keyBytes,
    messageKeyBytes: keyBytes,
    ...(kdfHash && { kdfHash }),
    committing: false,
    headerKey: "shared",
    bodySuiteId: id,
    ...(signature && { signature }),
  };
}

/** What the committing suites with AES-256 and SHA-512 have in common. */
function aes(
  id: number,
  name: string,
  row: Pick<AlgorithmSuite, "headerKey" | "bodySuiteId" | "rewrappedAs">,
  signature?: SignatureAlgorithm,
): AlgorithmSuite {
  return {
    id,
    name: `AES_256_GCM_HKDF_SHA512_COMMIT_KEY${name}`,
    messageVersion: 2,
    cipher: "aes-gcm",
    dataKeyBytes: 32,
    messageKeyBytes: 32,
    kdfHash: "sha512",
    committing: true,
    ...row,
    ...(signature && { signature }),
  };
}

/** What the suites of SM algorithms have in common. */
function sm(id: number, name: string, signature?: SignatureAlgorithm): AlgorithmSuite {
  return {
    id,
    name: `SM4_128_GCM_HKDF_SM3_COMMIT_KEY${name}`,
    messageVersion: 2,
    cipher: "sm4-gcm",
    dataKeyBytes: 32,
    messageKeyBytes: 16,
    kdfHash: "sm3",
    committing: true,
    headerKey: "own",
    bodySuiteId: id,
    rewrappedAs: id,
    ...(signature && { signature }),
  };
}

/**
 * Suites of our own have ids from 0xf000 on, which no other reader takes. Each authenticates its header under a key that
 * depends on the header. In the AWS suites header and frames share one key, and the header's IV is fixed: a header that was
 * replaced and sealed anew would use one key and one IV for two texts, and two such tags give away the GHASH key, with which
 * headers and frames can be forged. Hence a message of an AWS suite has another suite once it is rewrapped.
 */
const ROWS: readonly AlgorithmSuite[] = [
  v1(0x0014, "AES_128_GCM_NO_KDF", 16),
  v1(0x0046, "AES_192_GCM_NO_KDF", 24),
  v1(0x0078, "AES_256_GCM_NO_KDF", 32),
  v1(0x0114, "AES_128_GCM_HKDF_SHA256", 16, "sha256"),
  v1(0x0146, "AES_192_GCM_HKDF_SHA256", 24, "sha256"),
  v1(0x0178, "AES_256_GCM_HKDF_SHA256", 32, "sha256"),
  v1(0x0214, "AES_128_GCM_HKDF_SHA256_ECDSA_P256", 16, "sha256", "ECDSA_P256"),
  v1(0x0346, "AES_192_GCM_HKDF_SHA384_ECDSA_P384", 24, "sha384", "ECDSA_P384"),
  v1(0x0378, "AES_256_GCM_HKDF_SHA384_ECDSA_P384", 32, "sha384", "ECDSA_P384"),
  aes(0x0478, "", { headerKey: "shared", bodySuiteId: 0x0478, rewrappedAs: 0xf478 }),
  aes(0x0578, "_ECDSA_P384", { headerKey: "shared", bodySuiteId: 0x0578, rewrappedAs: 0xf578 }, "ECDSA_P384"),
  sm(0xf128, ""),
  sm(0xf228, "_SM2", "SM2"),
  aes(0xf378, "_ML_DSA_65", { headerKey: "own", bodySuiteId: 0xf378, rewrappedAs: 0xf378 }, "ML_DSA_65"),
  aes(0xf478, "_REWRAPPABLE", { headerKey: "own", bodySuiteId: 0x0478, rewrappedAs: 0xf478 }),
  aes(0xf578, "_ECDSA_P384_REWRAPPABLE", { headerKey: "own", bodySuiteId: 0x0578, rewrappedAs: 0xf578 }, "ECDSA_P384"),
];

const BY_ID: ReadonlyMap<number, AlgorithmSuite> = new Map(ROWS.map((suite) => [suite.id, suite]));

/** Suites that this library writes: the committing ones. */
export type WritableSuiteId = 0x0478 | 0x0578 | 0xf128 | 0xf228 | 0xf378 | 0xf478 | 0xf578;

/** AES-256-GCM, HKDF-SHA512, key commitment; not signed. */
export const SUITE_COMMITTED: WritableSuiteId = 0x0478;
/** The same, signed with an ECDSA P-384 key made for the message, or for the data key where the data-key cache is in use. */
export const SUITE_COMMITTED_SIGNED: WritableSuiteId = 0x0578;
/** SM4-128-GCM, HKDF-SM3, key commitment; not signed. Of our own: only Fengni reads it. */
export const SUITE_SM4: WritableSuiteId = 0xf128;
/** The same, signed with an SM2 key made as for {@link SUITE_COMMITTED_SIGNED}. Of our own: only Fengni reads it. */
export const SUITE_SM4_SIGNED: WritableSuiteId = 0xf228;
/**
 * AES-256-GCM, HKDF-SHA512, key commitment; signed with an ML-DSA-65 key made as for {@link SUITE_COMMITTED_SIGNED}, against
 * quantum computers. Of our own: only Fengni reads it.
 */
export const SUITE_COMMITTED_SIGNED_ML_DSA: WritableSuiteId = 0xf378;
/** {@link SUITE_COMMITTED} with a header that may be replaced: what its messages become by rewrapping. Only Fengni reads it. */
export const SUITE_REWRAPPABLE: WritableSuiteId = 0xf478;
/** {@link SUITE_COMMITTED_SIGNED} with a header that may be replaced, as {@link SUITE_REWRAPPABLE}. Only Fengni reads it. */
export const SUITE_REWRAPPABLE_SIGNED: WritableSuiteId = 0xf578;
/** The suites whose every algorithm is one of the SM standards, for `readableSuites`. */
export const GM_SUITES: readonly WritableSuiteId[] = [SUITE_SM4, SUITE_SM4_SIGNED];
/** The suite that `encrypt` uses unless told otherwise. */
export const DEFAULT_SUITE: WritableSuiteId = SUITE_COMMITTED;

/** Every suite that this library reads. */
export function algorithmSuites(): readonly AlgorithmSuite[] {
  return ROWS;
}

/** A suite's id as the specification writes it, for example `0x0478`. */
export function formatSuiteId(id: number): string {
  return `0x${id.toString(16).padStart(4, "0")}`;
}

/** The key of the context under which a message carries the verification key of its signature, in base64. */
export function publicKeyContextKey(signature: SignatureAlgorithm): string {
  return signature === "ECDSA_P256" || signature === "ECDSA_P384" ? PUBLIC_KEY_CONTEXT_KEY : OWN_PUBLIC_KEY_CONTEXT_KEY;
}

/**
 * Finds the suite of a message.
 * @throws `ERR_MESSAGE_UNSUPPORTED` for an unknown id, or one that belongs to the other message version
 */
export function suiteOfMessage(id: number, messageVersion: 1 | 2): AlgorithmSuite {
  const suite = BY_ID.get(id);
  if (suite === undefined || suite.messageVersion !== messageVersion) {
    throw new FengniError(
      "ERR_MESSAGE_UNSUPPORTED",
      `algorithm suite ${formatSuiteId(id)} is not known for messages of version ${messageVersion}`,
      { details: { suite: formatSuiteId(id) } },
    );
  }
  return suite;
}

/**
 * Finds a suite to write with.
 * @throws `ERR_NOT_SUPPORTED` for an id that this library only reads, or does not know
 */
export function suiteForWriting(id: number): AlgorithmSuite {
  const suite = BY_ID.get(id);
  if (suite === undefined || !suite.committing) {
    const writable = ROWS.filter((row) => row.committing).map((row) => formatSuiteId(row.id));
    throw new FengniError(
      "ERR_NOT_SUPPORTED",
      `algorithm suite ${formatSuiteId(id)} cannot be written: choose one of ${writable.join(", ")}`,
      { details: { operation: `write suite ${formatSuiteId(id)}` } },
    );
  }
  return suite;
}

/**
 * Which suites a reader accepts: only those that commit to their data key, or all (message format, "Commitment policy").
 * Only committing suites are ever written.
 */
export type CommitmentPolicy = "require-encrypt-require-decrypt" | "require-encrypt-allow-decrypt";

/** Every commitment policy, the default first. */
export const COMMITMENT_POLICIES: readonly CommitmentPolicy[] = [
  "require-encrypt-require-decrypt",
  "require-encrypt-allow-decrypt",
];

/**
 * Refuses a suite without commitment unless the policy accepts it.
 * @throws `ERR_MESSAGE_UNSUPPORTED`
 */
export function checkCommitment(suite: AlgorithmSuite, policy: CommitmentPolicy): void {
  if (suite.committing || policy === "require-encrypt-allow-decrypt") return;
  const id = formatSuiteId(suite.id);
  throw new FengniError(
    "ERR_MESSAGE_UNSUPPORTED",
    `algorithm suite ${id} does not commit to its data key: set commitmentPolicy to "require-encrypt-allow-decrypt" to read it`,
    { details: { suite: id } },
  );
}
