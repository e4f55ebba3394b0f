// What describes a key and has no effect on its use: alias, description, attributes. It must not know states or material.
import type { LocalCallOptions } from "./access.js";
import { checkOwnedAlias, requireFreeAlias } from "./aliases.js";
import { argumentError, checkDescription, checkFields, checkTextLength, isPlainObject, limitError } from "./checks.js";
import { requireUserKey } from "./keys.js";
import type { KeyRequest } from "./lifecycle.js";
import type { Room } from "./room.js";

/** Most attributes of one key. */
export const MAX_ATTRIBUTES = 50;
/** Longest name of an attribute, in characters; the shortest has 1. */
export const MAX_ATTRIBUTE_NAME_CHARACTERS = 127;
/** Longest value of an attribute, in characters; it may be empty. */
export const MAX_ATTRIBUTE_VALUE_CHARACTERS = 255;

/** Asks for another alias. */
export interface UpdateAliasRequest extends KeyRequest {
  /** 1 to 60 of letters, digits, `-`, `_`, the first a letter or a digit; not of an id's form, and not beginning with `kms-`. */
  readonly alias: string;
}

/** Asks for another description. */
export interface UpdateKeyDescriptionRequest extends KeyRequest {
  /** At most 1,024 bytes of UTF-8; empty for none. */
  readonly description: string;
}

/** Asks for other attributes. */
export interface SetKeyAttributesRequest extends KeyRequest {
  /** All of them, at most 50: those that are not named go. Names have 1 to 127 characters, values at most 255. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A key's attributes. */
export interface KeyAttributes {
  /** Full id of the key. */
  readonly keyId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Changes what describes a key. Rejections as those of the lifecycle. */
export interface AttributeOperations {
  /**
   * Sets a key's alias; the former one is free.
   * @throws FengniError `ERR_CONFLICT` (`alias-exists`), `ERR_KEY_USAGE` (`not-user-created`) for a product's key, `ERR_LIMIT`
   */
  updateAlias(request: UpdateAliasRequest, options?: LocalCallOptions): Promise<void>;
  /** Sets a key's description. @throws FengniError `ERR_KEY_USAGE` (`not-user-created`) for a product's key, `ERR_LIMIT` */
  updateKeyDescription(request: UpdateKeyDescriptionRequest, options?: LocalCallOptions): Promise<void>;
  /** A key's attributes, in every state: pairs of text that mean nothing to the KMS. */
  getKeyAttributes(request: KeyRequest, options?: LocalCallOptions): Promise<KeyAttributes>;
  /** Puts attributes in the place of those that the key has. @throws FengniError `ERR_LIMIT` */
  setKeyAttributes(request: SetKeyAttributesRequest, options?: LocalCallOptions): Promise<void>;
}

/** The operations, over what all operations share. */
export function attributeOperations(room: Room): AttributeOperations {
  return {
    async updateAlias(request, options) {
      checkFields("updateAlias", request, ["keyId", "alias"]);
      const alias = checkOwnedAlias(request.alias, "user");
      await room.changeKey(
        "updateAlias",
        request.keyId,
        options,
        (record, records) => {
          requireFreeAlias(records, record.region, alias, record.id);
          return alias === record.name ? record : { ...record, name: alias };
        },
        requireUserKey,
      );
    },
    async updateKeyDescription(request, options) {
      checkFields("updateKeyDescription", request, ["keyId", "description"]);
      const description = checkDescription(request.description);
      await room.changeKey(
        "updateKeyDescription",
        request.keyId,
        options,
        (record) => (description === record.description ? record : { ...record, description }),
        requireUserKey,
      );
    },
    async getKeyAttributes(request, options) {
      checkFields("getKeyAttributes", request, ["keyId"]);
      const { id, attributes = {} } = await room.key("getKeyAttributes", request.keyId, options);
      return { keyId: id, attributes: { ...attributes } };
    },
    async setKeyAttributes(request, options) {
      checkFields("setKeyAttributes", request, ["keyId", "attributes"]);
      const attributes = checkAttributes(request.attributes);
      await room.changeKey("setKeyAttributes", request.keyId, options, (record) => ({ ...record, attributes }));
    },
  };
}

function checkAttributes(attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!isPlainObject(attributes)) throw argumentError("attributes expected a plain object of strings");
  const entries = Object.entries(attributes);
  if (entries.length > MAX_ATTRIBUTES) {
    throw limitError("number of attributes", MAX_ATTRIBUTES, entries.length, "use fewer");
  }
  for (const [name, value] of entries) {
    checkTextLength("the name of an attribute", name, 1, MAX_ATTRIBUTE_NAME_CHARACTERS);
    checkTextLength("the value of an attribute", value, 0, MAX_ATTRIBUTE_VALUE_CHARACTERS);
  }
  return Object.fromEntries(entries);
}
