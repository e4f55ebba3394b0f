// The form of a provider's answers: without it a check would trip over what is not there. It must not judge what the fields hold.
import type { ProviderOperation } from "@fengni/core";

type FieldKind = "text" | "bytes" | "boolean";

const SEALED = { keyId: "text", ciphertext: "bytes" } as const;
const OPENED = { keyId: "text", plaintext: "bytes" } as const;

const ANSWERS: ReadonlyMap<string, Readonly<Record<string, FieldKind>>> = new Map(
  Object.entries({
    generateDataKey: { ...SEALED, plaintext: "bytes" },
    encrypt: SEALED,
    decrypt: OPENED,
    reEncrypt: { ...SEALED, sourceKeyId: "text" },
    sign: { keyId: "text", algorithm: "text", signature: "bytes" },
    verify: { keyId: "text", algorithm: "text", valid: "boolean" },
    getPublicKey: { keyId: "text", keySpec: "text", keyUsage: "text", publicKey: "bytes" },
    asymmetricDecrypt: OPENED,
    postQuantumEncrypt: SEALED,
    postQuantumDecrypt: OPENED,
  } as const satisfies Record<ProviderOperation, Readonly<Record<string, FieldKind>>>),
);

const NAMES: Readonly<Record<FieldKind, string>> = { text: "text", bytes: "a Uint8Array", boolean: "true or false" };

/** What is wrong with the form of the answer of an operation; undefined when nothing is, or the method is no operation. */
export function answerFault(method: string, answer: unknown): string | undefined {
  const fields = ANSWERS.get(method);
  if (fields === undefined) return undefined;
  if (typeof answer !== "object" || answer === null) {
    return `expected an answer { ${Object.keys(fields).join(", ")} }, got ${answer === null ? "null" : typeof answer}`;
  }
  const wrong = Object.entries(fields).find(([field, kind]) => !isOf(kind, Reflect.get(answer, field)));
  return wrong === undefined ? undefined : `expected an answer whose ${wrong[0]} is ${NAMES[wrong[1]]}`;
}

function isOf(kind: FieldKind, value: unknown): boolean {
  if (kind === "bytes") return value instanceof Uint8Array;
  return typeof value === (kind === "text" ? "string" : kind);
}
