// All handlers, and the way into them. It must not know what any action does.
import type { LocalKms } from "@fengni/backend-local";
import type { ActionName, RequestOf } from "@fengni/kms-api";
import type { Answer, Call, Handler, Handlers } from "../call.js";
import { toApiError } from "../error-codes.js";
import { ASYMMETRIC } from "./asymmetric.js";
import { ATTRIBUTES } from "./attributes.js";
import { CLOUD_RESOURCES } from "./cloud-resources.js";
import { DATA_KEYS } from "./data-keys.js";
import { KEY_LIFECYCLE } from "./key-lifecycle.js";
import { KEY_MATERIAL } from "./key-material.js";
import { POST_QUANTUM } from "./post-quantum.js";
import { checkReferences, kindsIn } from "./references.js";
import { SERVICE_INFO } from "./service-info.js";
import { SYMMETRIC } from "./symmetric.js";
import { SYNC } from "./sync.js";
import { WHITE_BOX } from "./white-box.js";

/** The handler of every action: one that is missing does not compile. */
const HANDLERS: Handlers<ActionName> = {
  ...KEY_LIFECYCLE,
  ...ATTRIBUTES,
  ...SYMMETRIC,
  ...DATA_KEYS,
  ...ASYMMETRIC,
  ...POST_QUANTUM,
  ...KEY_MATERIAL,
  ...WHITE_BOX,
  ...CLOUD_RESOURCES,
  ...SERVICE_INFO,
  ...SYNC,
};

/**
 * Carries out an action.
 * @param action - of the catalogue
 * @param request - its parameters, validated against the catalogue
 * @returns the answer without its request id
 * @throws ApiError, whatever the local KMS threw
 */
export async function handle(action: ActionName, kms: LocalKms, request: unknown, call: Call): Promise<object> {
  // Validated under the same name, which the compiler cannot follow.
  return dispatch(action, kms, request as RequestOf<ActionName>, call);
}

async function dispatch<Name extends ActionName>(
  action: Name,
  kms: LocalKms,
  request: RequestOf<Name>,
  call: Call,
): Promise<Answer<Name>> {
  const handler: Handler<Name> = HANDLERS[action];
  checkReferences(request);
  try {
    return await handler(kms, request, call);
  } catch (error) {
    throw toApiError(error, kindsIn(action, request));
  }
}
