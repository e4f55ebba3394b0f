// The actions on what describes a key: translation only.
import type { Handlers } from "../call.js";

type Names = "UpdateAlias" | "UpdateKeyDescription" | "GetKeyAttributes" | "SetKeyAttributes";

/** The handlers of the group. */
export const ATTRIBUTES: Handlers<Names> = {
  async UpdateAlias(kms, { KeyId, Alias }, { options }) {
    await kms.updateAlias({ keyId: KeyId, alias: Alias }, options);
    return {};
  },
  async UpdateKeyDescription(kms, { KeyId, Description }, { options }) {
    await kms.updateKeyDescription({ keyId: KeyId, description: Description }, options);
    return {};
  },
  async GetKeyAttributes(kms, { KeyId }, { options }) {
    const { attributes } = await kms.getKeyAttributes({ keyId: KeyId }, options);
    return { Attributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })) };
  },
  async SetKeyAttributes(kms, { KeyId, Attributes }, { options }) {
    const attributes = Object.fromEntries(Attributes.map(({ Name, Value }) => [Name, Value]));
    await kms.setKeyAttributes({ keyId: KeyId, attributes }, options);
    return {};
  },
};
