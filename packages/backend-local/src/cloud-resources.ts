// Resources of products that are bound to a key. It must not know what they are; that a bound key stays is lifecycle.ts's.
import { FengniError } from "@fengni/core";
import type { LocalCallOptions } from "./access.js";
import { checkFields, checkTextLength, limitError } from "./checks.js";
import type { KeyRequest } from "./lifecycle.js";
import type { CloudResource, KeyRecord } from "./records.js";
import type { Room } from "./room.js";

/** Most resources that are bound to one key. */
export const MAX_CLOUD_RESOURCES = 1000;
/** Longest name of a product, in characters; the shortest has 1. */
export const MAX_PRODUCT_ID_CHARACTERS = 128;
/** Longest id of a product's resource, in characters; the shortest has 1. */
export const MAX_RESOURCE_ID_CHARACTERS = 256;

/** Names a key and a resource. */
export interface CloudResourceRequest extends KeyRequest, CloudResource {}

/** Binds resources to keys. Rejections as those of the lifecycle. */
export interface CloudResourceOperations {
  /** Binds a resource, so that the key cannot be deleted; no change if it is bound already. @throws FengniError `ERR_LIMIT` */
  bindCloudResource(request: CloudResourceRequest, options?: LocalCallOptions): Promise<void>;
  /** Unbinds a resource. @throws FengniError `ERR_CONFLICT` (`cloud-resource-not-bound`) when it is not bound */
  unbindCloudResource(request: CloudResourceRequest, options?: LocalCallOptions): Promise<void>;
}

/** The operations, over what all operations share. */
export function cloudResourceOperations(room: Room): CloudResourceOperations {
  return {
    async bindCloudResource(request, options) {
      const resource = checkResource("bindCloudResource", request);
      await room.changeKey("bindCloudResource", request.keyId, options, (record) => bind(record, resource));
    },
    async unbindCloudResource(request, options) {
      const resource = checkResource("unbindCloudResource", request);
      await room.changeKey("unbindCloudResource", request.keyId, options, (record) => unbind(record, resource));
    },
  };
}

function checkResource(operation: string, request: CloudResourceRequest): CloudResource {
  checkFields(operation, request, ["keyId", "productId", "resourceId"]);
  return {
    productId: checkTextLength("productId", request.productId, 1, MAX_PRODUCT_ID_CHARACTERS),
    resourceId: checkTextLength("resourceId", request.resourceId, 1, MAX_RESOURCE_ID_CHARACTERS),
  };
}

function bind(record: KeyRecord, resource: CloudResource): KeyRecord {
  const { resources = [] } = record;
  if (resources.some((bound) => isSame(bound, resource))) return record;
  if (resources.length >= MAX_CLOUD_RESOURCES) {
    throw limitError("number of bound resources", MAX_CLOUD_RESOURCES, resources.length + 1, "unbind others first");
  }
  return { ...record, resources: [...resources, resource] };
}

function unbind(record: KeyRecord, resource: CloudResource): KeyRecord {
  const { id, resources = [] } = record;
  const others = resources.filter((bound) => !isSame(bound, resource));
  if (others.length < resources.length) return { ...record, resources: others };
  const { productId, resourceId } = resource;
  throw new FengniError("ERR_CONFLICT", `${productId} ${resourceId} is not bound to key ${id}: nothing to unbind`, {
    details: { name: resourceId, reason: "cloud-resource-not-bound" },
  });
}

function isSame(a: CloudResource, b: CloudResource): boolean {
  return a.productId === b.productId && a.resourceId === b.resourceId;
}
