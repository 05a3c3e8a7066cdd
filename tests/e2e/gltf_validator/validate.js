// Prints what Khronos' validator has to say about GLB files: a JSON object by path.
import { readFileSync } from "node:fs";
import validator from "gltf-validator";

const reports = {};
for (const path of process.argv.slice(2)) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(path)));
  reports[path] = report.issues;
}
console.log(JSON.stringify(reports));
