// The actions that bind resources of products to keys: translation only.
import type { Handlers } from "../call.js";

type Names = "BindCloudResource" | "UnbindCloudResource";

/** The handlers of the group. */
export const CLOUD_RESOURCES: Handlers<Names> = {
  async BindCloudResource(kms, { KeyId, ProductId, ResourceId }, { options }) {
    await kms.bindCloudResource({ keyId: KeyId, productId: ProductId, resourceId: ResourceId }, options);
    return {};
  },
  async UnbindCloudResource(kms, { KeyId, ProductId, ResourceId }, { options }) {
    await kms.unbindCloudResource({ keyId: KeyId, productId: ProductId, resourceId: ResourceId }, options);
    return {};
  },
};
