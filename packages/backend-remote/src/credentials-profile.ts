// Credentials from the profile file that the service's own tools share. It must not know other sources.
import { homedir } from "node:os";
import { join } from "node:path";
import { argumentError, checkFields } from "./checks.js";
import type { Credentials } from "./credentials.js";
import { type CachedCredentialsOptions, cachedCredentials } from "./credentials-cache.js";
import { readSmallFile } from "./credentials-file.js";
import { absentError, credentialsError, type NamedCredentialProvider } from "./credentials-static.js";
import { checkText } from "./request-checks.js";

/** Which profile is read. */
export interface ProfileCredentialsOptions extends Pick<CachedCredentialsOptions, "clock"> {
  /** The file; default: `~/.tencentcloud/credentials`, and where there is none, `/etc/tencentcloud/credentials`. */
  readonly path?: string;
  /** The section of the file; default `default`. */
  readonly profile?: string;
}

type Profile = ReadonlyMap<string, string>;

interface ProfileFile {
  readonly path: string;
  readonly text: string;
}

const SOURCE = "profile file";
const SYSTEM_PATH = "/etc/tencentcloud/credentials";

/**
 * Credentials from a profile file: an INI file with `secret_id`, `secret_key` and, for temporary credentials, `session_token` in
 * a section such as `[default]`. It is read once, and again when the service refuses the credentials. From the first time that
 * a file is found it is the only one that is read: another may hold another identity.
 * @returns a provider whose calls reject with `ERR_CREDENTIALS` when there is no such file or profile, or it is malformed. A chain
 *   goes on to the next source only where neither a file nor a profile was named, and neither of the usual files is there.
 */
export function profileCredentials(options: ProfileCredentialsOptions = {}): NamedCredentialProvider {
  checkFields("profileCredentials", options, ["path", "profile", "clock"]);
  const { path, profile, clock } = options;
  if (path !== undefined && checkText("path", path) === "") throw argumentError("path expected the path of a file");
  if (profile !== undefined) checkText("profile", profile);
  const paths = path === undefined ? [join(homedir(), ".tencentcloud", "credentials"), SYSTEM_PATH] : [path];
  let found: string | undefined;
  const load = async (): Promise<Credentials> => {
    const file = await readFirst(found === undefined ? paths : [found]);
    if (file !== undefined) {
      found = file.path;
      return readProfile(file, profile ?? "default");
    }
    if (found !== undefined) {
      throw credentialsError(`${SOURCE} ${found} is gone, and no other is read in its place: put it back`);
    }
    const message = `${SOURCE}: there is none at ${paths.join(" or ")}`;
    // Who names a file or a profile means it: another identity must not take its place.
    throw path === undefined && profile === undefined ? absentError(message) : credentialsError(message);
  };
  return cachedCredentials(SOURCE, load, clock === undefined ? {} : { clock });
}

async function readFirst(paths: readonly string[]): Promise<ProfileFile | undefined> {
  for (const path of paths) {
    const text = await readSmallFile(path, SOURCE);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

/** A file without the profile, or an empty one, may be one that is being written: it is there, and broken. */
function readProfile({ path, text }: ProfileFile, name: string): Credentials {
  const profile = parseProfiles(text, path).get(name);
  if (profile === undefined) {
    throw credentialsError(`${SOURCE} ${path} has no profile [${name}]: add it, or name one that is there`);
  }
  const required = (key: string): string => {
    const value = profile.get(key);
    if (value === undefined || value === "") throw credentialsError(`${SOURCE} ${path}: [${name}] has no ${key}`);
    return value;
  };
  const token = profile.get("session_token") ?? "";
  return {
    secretId: required("secret_id"),
    secretKey: required("secret_key"),
    ...(token === "" ? {} : { token }),
  };
}

/**
 * The sections of an INI file: `[name]`, `key = value`, comments from `#` or `;` at the beginning of a line. A pair of quotes around
 * a value is not part of it.
 */
function parseProfiles(text: string, path: string): ReadonlyMap<string, Profile> {
  const profiles = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const [index, rawLine] of text.split(/\r?\n/).entries()) {
    const line = rawLine.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const section = /^\[([^\]]*)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      current = profiles.get(section.trim()) ?? new Map<string, string>();
      profiles.set(section.trim(), current);
      continue;
    }
    const equals = line.indexOf("=");
    if (equals < 1 || current === undefined) {
      // The line is not shown: it may hold a secret.
      throw credentialsError(`${SOURCE} ${path}: line ${index + 1} is not "key = value" in a [section]`);
    }
    current.set(line.slice(0, equals).trim().toLowerCase(), unquoted(line.slice(equals + 1).trim()));
  }
  return profiles;
}

function unquoted(value: string): string {
  return /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
}
