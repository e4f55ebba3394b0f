// Policies from files. Must not know what is asked of them.
import type { Policy } from "@fengni/kms-api";
import { CliError } from "./failure.js";
import { readText } from "./input.js";
import type { CliIo } from "./io.js";
import type { KmsApi } from "./kms-api.js";

/** Why a policy is none. */
export interface MalformedPolicy {
  /** Where, such as `statement[0].effect`; empty for the policy as a whole. */
  readonly path: string;
  readonly message: string;
}

/**
 * Reads a policy.
 * @param path - a file, or `-` for standard input
 * @returns the policy, or what is wrong with it
 * @throws `ERR_INPUT` when there is nothing to read
 */
export async function readPolicy(
  api: KmsApi,
  path: string,
  io: CliIo,
): Promise<{ readonly policy: Policy } | { readonly malformed: MalformedPolicy }> {
  // A character is at most three bytes for each unit that a text counts, and a byte order mark has three.
  const text = await readText(path, 3 * api.MAX_POLICY_CHARACTERS + 3, io);
  try {
    return { policy: api.parsePolicy(text) };
  } catch (error) {
    if (!api.isPolicyError(error)) throw error;
    const prefix = `${error.path}: `;
    const message = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
    return { malformed: { path: error.path, message } };
  }
}

/** Reads a policy that is to be used. @throws `ERR_POLICY` when it is malformed, `ERR_INPUT` */
export async function requirePolicy(api: KmsApi, path: string, io: CliIo): Promise<Policy> {
  const read = await readPolicy(api, path, io);
  if ("policy" in read) return read.policy;
  const { path: place, message } = read.malformed;
  const where = place === "" ? path : `${path}: ${place}`;
  throw new CliError("ERR_POLICY", `${where}: ${message}; "fengni policy check" looks a policy over`);
}
