// Credentials from the environment: the one file of this package that may read the process's own. It must not know other sources.
import { absentError, credentialsError, holdCredentials, type NamedCredentialProvider } from "./credentials-static.js";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const SOURCE = "environment";

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * The values of variables, those that are there and not empty.
 * @returns the values in the order of the names, or the names of those that are missing
 */
export function requireVariables(
  environment: Environment,
  names: readonly string[],
): { readonly values: readonly string[] } | { readonly missing: readonly string[] } {
  const missing = names.filter((name) => (environment[name] ?? "") === "");
  return missing.length > 0 ? { missing } : { values: names.map((name) => environment[name] ?? "") };
}

/**
 * Credentials from `TENCENTCLOUD_SECRET_ID`, `TENCENTCLOUD_SECRET_KEY` and, for temporary ones, `TENCENTCLOUD_SESSION_TOKEN`. They
 * are read at each call.
 * @param environment - default: that of this process
 * @returns a provider whose calls reject with `ERR_CREDENTIALS` that names the variables that are missing
 */
export function environmentCredentials(environment: Environment = processEnvironment()): NamedCredentialProvider {
  return {
    name: SOURCE,
    async getCredentials(options) {
      options?.signal?.throwIfAborted();
      const found = requireVariables(environment, ["TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"]);
      const token = environment["TENCENTCLOUD_SESSION_TOKEN"] ?? "";
      if ("missing" in found) {
        const message = `${SOURCE}: ${found.missing.join(" and ")} not set`;
        throw found.missing.length === 2 && token === "" ? absentError(message) : credentialsError(message);
      }
      const [secretId = "", secretKey = ""] = found.values;
      return holdCredentials({ secretId, secretKey, ...(token === "" ? {} : { token }) }, SOURCE);
    },
  };
}
