// Installs if needed and builds every package that changed.
import { ensureBuilt } from "./workspace.mjs";

ensureBuilt();
