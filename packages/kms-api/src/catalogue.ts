// Finding an action of the catalogue by its name. It must not know what any action does.
import type { Action } from "./action.js";
import type { ActionName } from "./actions.gen.js";
import { ACTIONS } from "./actions-table.gen.js";

let byName: ReadonlyMap<string, Action> | undefined;

/** A map, because names come from outside and one of them may be "constructor". */
function index(): ReadonlyMap<string, Action> {
  byName ??= new Map(ACTIONS.map((action) => [action.name, action]));
  return byName;
}

/**
 * Finds an action.
 * @param name - any text, such as the header `X-TC-Action`; letters in their case
 * @returns the action's row, or undefined where there is none
 */
export function findAction(name: string): Action | undefined {
  return index().get(name);
}

/**
 * Whether a text names an action.
 * @param name - any text
 */
export function isActionName(name: string): name is ActionName {
  return index().has(name);
}
