// What any request may refer to: keys by id, and things that this emulator does not have. Checked alike for all actions, before the
// local KMS is asked, for it knows aliases too. It must not know actions.
import { type ActionName, ApiError, findAction } from "@fengni/kms-api";
import type { KeyKind } from "../error-codes.js";
import { invalidParameter } from "../formats.js";

/** The parameters that refer to something; a request has some of them. */
interface References {
  readonly KeyId?: string;
  readonly DestinationKeyId?: string;
  readonly DataKeyId?: string;
  readonly KeyIds?: readonly string[];
  readonly DataKeyIds?: readonly string[];
  readonly Alias?: string;
  readonly HsmClusterId?: string;
  readonly MemberAccount?: object;
  readonly MemberAccounts?: readonly object[];
  readonly Destinations?: readonly { readonly HsmClusterId?: string }[];
}

/** The parameters that hold the id of a key of any kind, or several. */
export const ID_PARAMETERS = ["KeyId", "DestinationKeyId", "DataKeyId", "KeyIds", "DataKeyIds"] as const;

const KEY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Checks what a request refers to. No organisation and no HSM cluster exist here, so that whoever names a member account or a
 * cluster names what is not there.
 * @param request - validated against the catalogue
 * @throws ApiError `InvalidParameterValue.InvalidKeyId`, `InvalidParameterValue.InvalidAlias`, `ResourceNotFound`
 */
export function checkReferences(request: object): void {
  const references: References = request;
  for (const parameter of ID_PARAMETERS) {
    for (const id of [references[parameter] ?? []].flat()) {
      if (!KEY_ID.test(id)) throw invalidParameter(parameter, "the id of a key", "InvalidParameterValue.InvalidKeyId");
    }
  }
  const { Alias = "", HsmClusterId, MemberAccount = {}, MemberAccounts = [], Destinations = [] } = references;
  if (KEY_ID.test(Alias)) {
    throw invalidParameter("Alias", "a name without the form of an id", "InvalidParameterValue.InvalidAlias");
  }
  if ([HsmClusterId, ...Destinations.map((destination) => destination.HsmClusterId)].some(isNamed)) {
    throw new ApiError("ResourceNotFound", "There are no HSM clusters: leave out `HsmClusterId`.");
  }
  if ([MemberAccount, ...MemberAccounts].some((account) => Object.keys(account).length > 0)) {
    throw new ApiError("ResourceNotFound", "There is no organisation with member accounts: leave them out.");
  }
}

/** What an id in an error of an action is of. */
export function kindsIn(action: ActionName, request: object): (id: string) => KeyKind {
  if (findAction(action)?.group === "white-box") return () => "white-box-key";
  const { DataKeyId, DataKeyIds = [] }: References = request;
  return (id) => (id === DataKeyId || DataKeyIds.includes(id) ? "data-key" : "key");
}

function isNamed(text: string | undefined): boolean {
  return text !== undefined && text !== "";
}
