// Headless Chromium without a window. It is npm's, unpacked beside this file once; where the system lacks a library of
// it, the one that comes along is used.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import packed, { inflate } from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const unpacked = join(here, "unpacked");

// The package unpacks into the folder for temporary files, and takes what is there for whole.
async function unpack() {
  if (existsSync(unpacked)) return;
  const usual = process.env.TMPDIR;
  const draft = mkdtempSync(`${unpacked}-`);
  process.env.TMPDIR = draft;
  packed.setGraphicsMode = false;
  await packed.executablePath();
  await inflate(join(here, "node_modules/@sparticuz/chromium/bin/al2023.tar.br"));
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
  renameSync(draft, unpacked);
}

function environment(program) {
  const whole = !execFileSync("ldd", [program], { encoding: "utf8" }).includes("not found");
  return whole ? process.env : { ...process.env, LD_LIBRARY_PATH: join(unpacked, "al2023/lib") };
}

export async function launched() {
  await unpack();
  const executablePath = join(unpacked, "chromium");
  // Not the package's own arguments: they turn off what keeps one origin from another. As root there is no sandbox.
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args, env: environment(executablePath) });
}
