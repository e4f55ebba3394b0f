// The catalogue and the policies of the service, loaded when a command asks for them: the others start without. Must know no
// command.

/** What `@fengni/kms-api` exports. */
export type KmsApi = typeof import("@fengni/kms-api");

/** Loads it. */
export function loadKmsApi(): Promise<KmsApi> {
  return import("@fengni/kms-api");
}
