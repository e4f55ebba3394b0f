// The algorithm suite table: all that the code knows of a suite is its row here (message format, section "Algorithm
// suites"). Must know nothing of bytes on the wire.
import type { EcdsaCurve } from "@fengni/crypto/ecdsa";
import type { HashName } from "@fengni/crypto/hash";
import { FengniError } from "./errors.js";

/** One algorithm suite: AES-GCM with a 12-byte IV and a 16-byte tag, and what goes with it. */
export interface AlgorithmSuite {
  /** 16-bit id in the message. */
  readonly id: number;
  /** Name as in the specification, for people. */
  readonly name: string;
  /** Version of the message that carries it. */
  readonly messageVersion: 1 | 2;
  /** Length of the data key and of the message key, in bytes. */
  readonly keyBytes: 16 | 24 | 32;
  /** Hash of the HKDF; absent: the data key is the message key. */
  readonly kdfHash?: HashName;
  /** Whether the message commits to its data key. */
  readonly committing: boolean;
  /** Curve of the message's signature; absent: not signed. */
  readonly signatureCurve?: EcdsaCurve;
}

const ROWS: readonly AlgorithmSuite[] = [
  v1(0x0014, "AES_128_GCM_NO_KDF", 16),
  v1(0x0046, "AES_192_GCM_NO_KDF", 24),
  v1(0x0078, "AES_256_GCM_NO_KDF", 32),
  v1(0x0114, "AES_128_GCM_HKDF_SHA256", 16, "sha256"),
  v1(0x0146, "AES_192_GCM_HKDF_SHA256", 24, "sha256"),
  v1(0x0178, "AES_256_GCM_HKDF_SHA256", 32, "sha256"),
  v1(0x0214, "AES_128_GCM_HKDF_SHA256_ECDSA_P256", 16, "sha256", "P-256"),
  v1(0x0346, "AES_192_GCM_HKDF_SHA384_ECDSA_P384", 24, "sha384", "P-384"),
  v1(0x0378, "AES_256_GCM_HKDF_SHA384_ECDSA_P384", 32, "sha384", "P-384"),
  {
    id: 0x0478,
    name: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
    messageVersion: 2,
    keyBytes: 32,
    kdfHash: "sha512",
    committing: true,
  },
  {
    id: 0x0578,
    name: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
    messageVersion: 2,
    keyBytes: 32,
    kdfHash: "sha512",
    committing: true,
    signatureCurve: "P-384",
  },
];

function v1(
  id: number,
  name: string,
  keyBytes: 16 | 24 | 32,
  kdfHash?: HashName,
  signatureCurve?: EcdsaCurve,
): AlgorithmSuite {
  return {
    id,
    name,
    messageVersion: 1,
    keyBytes,
    committing: false,
    ...(kdfHash && { kdfHash }),
    ...(signatureCurve && { signatureCurve }),
  };
}

const BY_ID: ReadonlyMap<number, AlgorithmSuite> = new Map(ROWS.map((suite) => [suite.id, suite]));

/** Suites that this library writes: the committing ones. */
export type WritableSuiteId = 0x0478 | 0x0578;

/** AES-256-GCM, HKDF-SHA512, key commitment; not signed. */
export const SUITE_COMMITTED: WritableSuiteId = 0x0478;
/** The same, signed with an ECDSA P-384 key made for the message, or for the data key where the data-key cache is in use. */
export const SUITE_COMMITTED_SIGNED: WritableSuiteId = 0x0578;
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
