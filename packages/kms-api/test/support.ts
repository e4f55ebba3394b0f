// What several tests share: the vectors as requests, and what a call throws. It must not know what is tested.
import { readFileSync } from "node:fs";
import { isApiError, type RequestToVerify, UNSIGNED_PAYLOAD } from "../src/index.js";

export interface Vector {
  readonly id: string;
  readonly title: string;
  readonly timestamp: number;
  readonly date: string;
  readonly service: string;
  readonly hashedPayload: string;
  readonly canonicalRequest: string;
  readonly canonicalSha256: string;
  readonly stringToSign: string;
  readonly kSigning: string;
  readonly signature: string;
  readonly authorization: string;
}

interface VectorFile {
  readonly secretId: string;
  readonly secretKey: string;
  readonly vectors: readonly Vector[];
}

export const vectorFile = JSON.parse(
  readFileSync(new URL("vectors/tc3-vectors.json", import.meta.url), "utf8"),
) as VectorFile;

export const { secretId, secretKey } = vectorFile;

export function vector(id: string): Vector {
  const found = vectorFile.vectors.find((other) => other.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return found;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export interface CanonicalRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Takes a canonical request apart again. */
export function readCanonical({ canonicalRequest }: Vector): CanonicalRequest {
  const lines = canonicalRequest.split("\n");
  const [method = "", path = "", query = ""] = lines;
  const headers = Object.fromEntries(
    lines.slice(3, -3).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
  return { method: method as "GET" | "POST", path, query, headers };
}

/** The request of a vector as a server receives it. */
export function received(given: Vector, changes: Readonly<Record<string, string | undefined>> = {}): RequestToVerify {
  const { method, path, query, headers } = readCanonical(given);
  const isUnsigned = given.hashedPayload === UNSIGNED_PAYLOAD;
  return {
    method,
    path,
    query,
    headers: {
      "x-tc-action": "Encrypt",
      "x-tc-version": "2019-01-18",
      "x-tc-timestamp": String(given.timestamp),
      authorization: given.authorization,
      ...(isUnsigned ? { "x-tc-content-sha256": UNSIGNED_PAYLOAD } : {}),
      ...headers,
      ...changes,
    },
    payload: utf8(isUnsigned ? '{"anything":1}' : given.hashedPayload),
  };
}

/** The code of the ApiError that a call throws; "none" if it returns, and any other error goes on. */
export function apiCode(call: () => unknown): string {
  return apiFailure(call)?.code ?? "none";
}

/** The ApiError that a call throws, as code and message. */
export function apiFailure(call: () => unknown): { readonly code: string; readonly message: string } | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!isApiError(error)) throw error;
    return error;
  }
}
