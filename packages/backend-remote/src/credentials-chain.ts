// Several sources of credentials in an order, and the order that is usual. It must not know what any source does.
import { FengniError } from "@fengni/crypto/errors";
import { abortable } from "./abortable.js";
import { argumentError, checkFields } from "./checks.js";
import type { CredentialOptions, CredentialProvider, Credentials } from "./credentials.js";
import type { CachedCredentialsOptions } from "./credentials-cache.js";
import { type Environment, environmentCredentials, processEnvironment } from "./credentials-environment.js";
import { instanceRoleCredentials } from "./credentials-instance-role.js";
import { tkeCredentials } from "./credentials-oidc.js";
import { profileCredentials } from "./credentials-profile.js";
import { absentError, isAbsent, type NamedCredentialProvider } from "./credentials-static.js";
import { causeOf } from "./error-map.js";

/** What differs from the usual order of sources. */
export interface DefaultCredentialsOptions extends Pick<CachedCredentialsOptions, "clock"> {
  /** Default: the environment of this process. */
  readonly environment?: Environment;
  /** The profile in the profile file; default `default`. */
  readonly profile?: string;
  /** How long the metadata service may take, in milliseconds; default 1,000, for there is none outside of the cloud. */
  readonly metadataTimeoutMs?: number;
}

/** How long the metadata service may take in the usual order. */
export const DEFAULT_METADATA_TIMEOUT_MS = 1_000;

type ChainProvider = CredentialProvider & { readonly name?: string };

/**
 * The first of several sources that is there. It is the only one that is asked from then on: the identity does not change.
 *
 * A source is left out only when it is not there, which it says with `ERR_CREDENTIALS` and the detail `reason: "absent"`. One that is
 * there and fails is an error, and the next call tries it again.
 * @param providers - in their order; one with a `name` is called by it in messages
 * @returns a provider whose calls reject with `ERR_CREDENTIALS` that names the source that failed, or says of each that it is not
 *   there; once a source is chosen, as that one does
 * @throws TypeError `ERR_ARGUMENT` for no providers, or what is none
 */
export function credentialChain(providers: readonly ChainProvider[]): NamedCredentialProvider {
  if (!Array.isArray(providers)) throw argumentError("credentialChain expected a list of credential providers");
  if (providers.length === 0) throw argumentError("credentialChain expected at least one provider");
  for (const provider of providers as readonly unknown[]) {
    const isProvider = typeof provider === "object" && provider !== null && "getCredentials" in provider;
    if (!isProvider || typeof provider.getCredentials !== "function") {
      throw argumentError("credentialChain expected credential providers only");
    }
  }
  return new CredentialChain([...providers]);
}

/**
 * The usual order of sources: the environment (`TENCENTCLOUD_SECRET_ID` ...), the profile file, the OIDC variables of a TKE cluster,
 * the role of the virtual machine. Nothing is printed, and nothing is asked for before the first call.
 */
export function defaultCredentials(options: DefaultCredentialsOptions = {}): NamedCredentialProvider {
  checkFields("defaultCredentials", options, ["environment", "profile", "metadataTimeoutMs", "clock"]);
  const { environment = processEnvironment(), profile, metadataTimeoutMs, clock } = options;
  const time = clock === undefined ? {} : { clock };
  return credentialChain([
    environmentCredentials(environment),
    profileCredentials({ ...(profile === undefined ? {} : { profile }), ...time }),
    tkeCredentials({ environment, ...time }),
    instanceRoleCredentials({ timeoutMs: metadataTimeoutMs ?? DEFAULT_METADATA_TIMEOUT_MS, ...time }),
  ]);
}

class CredentialChain implements NamedCredentialProvider {
  readonly name: string = "credential chain";
  readonly #providers: readonly ChainProvider[];
  #chosen: CredentialProvider | undefined;
  #searching: Promise<Credentials> | undefined;

  constructor(providers: readonly ChainProvider[]) {
    this.#providers = providers;
  }

  async getCredentials(options: CredentialOptions = {}): Promise<Credentials> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#chosen !== undefined) return this.#chosen.getCredentials(options);
    this.#searching ??= this.#search().finally(() => {
      this.#searching = undefined;
    });
    return abortable(this.#searching, signal);
  }

  async #search(): Promise<Credentials> {
    const absent: string[] = [];
    for (const [index, provider] of this.#providers.entries()) {
      const name = provider.name ?? `provider ${index + 1}`;
      try {
        const credentials = await provider.getCredentials();
        this.#chosen = provider;
        return credentials;
      } catch (error) {
        const said = describe(name, error);
        if (!isAbsent(error)) throw brokenError(said, absent, error);
        absent.push(said);
      }
    }
    throw absentError(`no credentials were found: ${absent.join("; ")}`);
  }
}

/** A source is there, and fails: another one in its place would be another identity. */
function brokenError(said: string, absent: readonly string[], error: unknown): FengniError {
  const before = absent.length === 0 ? "" : ` (before it: ${absent.join("; ")})`;
  return new FengniError("ERR_CREDENTIALS", `${said}${before}`, {
    cause: error instanceof FengniError ? error : causeOf(error),
    retryable: error instanceof FengniError && error.retryable,
  });
}

function describe(name: string, error: unknown): string {
  const message = error instanceof FengniError ? error.message : "it failed";
  return message.startsWith(name) ? message : `${name}: ${message}`;
}
