// Reads the files that an emulator is configured by: the credentials document and the folder of policies. It must not know what a
// credential or a policy means.
import { constants } from "node:fs";
import { type FileHandle, open, opendir } from "node:fs/promises";
import { join } from "node:path";
import { findRepeatedName, isPolicyError, MAX_POLICY_CHARACTERS, type Policy, parsePolicy } from "@fengni/kms-api";
import { EmulatorConfigurationError } from "./configuration-error.js";

/** The most policies that a folder may hold. */
export const MAX_POLICY_FILES = 1_000;
/** The longest credentials document, in bytes. */
export const MAX_CREDENTIALS_BYTES: number = 4 * 1024 * 1024;
// A character is at most three bytes of UTF-8 for each unit that a text counts.
const MAX_POLICY_BYTES = 3 * MAX_POLICY_CHARACTERS;
const POLICY_NAME = /^[A-Za-z0-9_+=,.@-]{1,128}$/;
const EXTENSION = ".json";
const OTHERS_MAY_READ = 0o004;

/** A credentials document, and what is to be told to whoever starts the emulator. */
export interface CredentialsFile {
  /** The parsed JSON, for the option `credentials`. */
  readonly document: unknown;
  /** What is not as it should be, without being an error: a file that others may read. */
  readonly warnings: readonly string[];
}

/**
 * Reads the policies of a folder: each file `NAME.json` is the policy `NAME`. Other files and folders are passed over.
 * @param folder - holds at most {@link MAX_POLICY_FILES} of them, each of at most 16,384 characters
 * @returns the policies by name
 * @throws EmulatorConfigurationError that names the file, and the place in it
 */
export async function readPolicyFolder(folder: string): Promise<ReadonlyMap<string, Policy>> {
  const policies = new Map<string, Policy>();
  for (const name of await policyNamesIn(folder)) {
    const path = join(folder, `${name}${EXTENSION}`);
    if (!POLICY_NAME.test(name)) {
      throw new EmulatorConfigurationError(`${path} is no name of a policy: it takes letters, digits and _+=,.@-`);
    }
    const { text } = await readText(path, MAX_POLICY_BYTES);
    policies.set(name, parseNamedPolicy(path, text));
  }
  return policies;
}

/**
 * Reads a policy, with errors that name where it is from.
 * @param source - the file, or the name of the policy
 * @param document - JSON text or value
 * @throws EmulatorConfigurationError
 */
export function parseNamedPolicy(source: string, document: unknown): Policy {
  try {
    return parsePolicy(document);
  } catch (error) {
    if (!isPolicyError(error)) throw error;
    throw new EmulatorConfigurationError(`${source}: ${error.message}`);
  }
}

/**
 * Reads a credentials document.
 * @param path - a file of at most {@link MAX_CREDENTIALS_BYTES}
 * @throws EmulatorConfigurationError for a file that cannot be read, is too long, is not JSON or has a name twice in one object; it shows nothing of the file
 */
export async function readCredentialsFile(path: string): Promise<CredentialsFile> {
  const { text, mode } = await readText(path, MAX_CREDENTIALS_BYTES);
  const warnings =
    (mode & OTHERS_MAY_READ) === 0 || process.platform === "win32"
      ? []
      : [`${path} holds secrets, and every user of this machine may read it: chmod 600 it`];
  return { document: parseDocument(path, text), warnings };
}

function parseDocument(path: string, text: string): unknown {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The parser's own message would quote the file.
    throw new EmulatorConfigurationError(`${path} is not JSON`);
  }
  // Of two lists of policies, or two boundaries, one would be ignored silently.
  if (findRepeatedName(text) !== undefined) {
    throw new EmulatorConfigurationError(`${path} has a name twice in one object: one of the two would be ignored`);
  }
  return document;
}

async function policyNamesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      if (!entry.name.endsWith(EXTENSION) || entry.name.startsWith(".") || entry.isDirectory()) continue;
      if (names.length === MAX_POLICY_FILES) {
        throw new EmulatorConfigurationError(`${folder} holds more than the allowed ${MAX_POLICY_FILES} policies`);
      }
      names.push(entry.name.slice(0, -EXTENSION.length));
    }
  } catch (error) {
    throw readingError(folder, error);
  }
  return names.sort();
}

async function readText(path: string, maxBytes: number): Promise<{ text: string; mode: number }> {
  let file: FileHandle | undefined;
  try {
    // A pipe that nobody writes to would be waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { mode } = await file.stat();
    const bytes = await readBounded(file, path, maxBytes);
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), mode };
  } catch (error) {
    throw readingError(path, error);
  } finally {
    await file?.close();
  }
}

async function readBounded(file: FileHandle, path: string, maxBytes: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    length += bytesRead;
    if (length > maxBytes) throw new EmulatorConfigurationError(`${path} has more than the allowed ${maxBytes} bytes`);
    if (bytesRead === 0) return buffer.subarray(0, length);
  }
}

function readingError(path: string, error: unknown): EmulatorConfigurationError {
  if (error instanceof EmulatorConfigurationError) return error;
  if (error instanceof TypeError) return new EmulatorConfigurationError(`${path} is not UTF-8`);
  return new EmulatorConfigurationError(
    `${path} cannot be read: ${error instanceof Error ? error.message : "unknown"}`,
  );
}
