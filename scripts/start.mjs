// npm start: installs and builds what is needed, then runs the main job on a real file.
import { ensureBuilt, run } from "./workspace.mjs";

ensureBuilt();
run(process.execPath, ["scripts/main-job.mjs"]);
