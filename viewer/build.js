// Builds the page into the Python package: node build.js
//
// The first line of the script holds a checksum of all sources, by which a test tells
// whether what is committed was built from them.

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, "..", "tf_unsup3d", "serving", "viewer_assets");

function checksum() {
  const names = readdirSync(join(here, "src")).map((name) => `src/${name}`);
  const hash = createHash("sha256");
  for (const name of [...names, "build.js", "package-lock.json"].sort()) {
    hash.update(`${name}\n`);
    hash.update(readFileSync(join(here, name)));
  }
  return hash.digest("hex");
}

mkdirSync(output, { recursive: true });
await build({
  entryPoints: [join(here, "src", "viewer.js")],
  outfile: join(output, "viewer.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "inline",
  banner: { js: `/* sources: ${checksum()} */` },
});
for (const name of ["index.html", "viewer.css"]) {
  copyFileSync(join(here, "src", name), join(output, name));
}
const license = join(here, "node_modules", "three", "LICENSE");
copyFileSync(license, join(output, "three-LICENSE"));
