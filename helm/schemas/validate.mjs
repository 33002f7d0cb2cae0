// Validates custom resources against their definitions: `node validate.mjs FILE`, a JSON list of them. Prints a line for
// each fault and ends with 1.
//
// @kubernetes-models has each definition twice: as a validator, which knows formats and limits but lets unknown fields
// pass, and as a TypeScript type, which doesn't let them pass. So both are asked.

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

const packages = {
  "cert-manager.io": "cert-manager",
  "external-secrets.io": "external-secrets",
  "gateway.networking.k8s.io": "gateway-api",
  "keda.sh": "keda",
  "monitoring.coreos.com": "prometheus-operator",
};

const resources = JSON.parse(readFileSync(process.argv[2], "utf8"));
const faults = [];
const imports = new Set();
const constants = [];

for (const [index, resource] of resources.entries()) {
  const [group, version] = resource.apiVersion.split("/");
  const name = `${resource.kind} ${resource.metadata.name}`;
  if (!(group in packages)) {
    faults.push(`${name}: no schema is known for ${resource.apiVersion}`);
    continue;
  }
  const path = `@kubernetes-models/${packages[group]}/${group}/${version}/${resource.kind}`;
  try {
    new (await import(path))[resource.kind](resource).validate();
  } catch (error) {
    faults.push(`${name}: ${error.message}`);
  }
  imports.add(`import type { I${resource.kind} } from "${path}";`);
  constants.push(`export const r${index}: I${resource.kind} = ${JSON.stringify(resource)};`);
}

const source = new URL(`resources-${process.pid}.ts`, import.meta.url).pathname;
writeFileSync(source, [...imports, ...constants].join("\n"));
const compiler = ["--noEmit", "--strict", "--skipLibCheck", "--types", "", "--module", "nodenext", "--pretty", "false", source];
try {
  execFileSync(new URL("node_modules/.bin/tsc", import.meta.url).pathname, compiler, { encoding: "utf8" });
} catch (error) {
  for (const line of error.stdout.trim().split("\n")) {
    const found = /\.ts\((\d+),\d+\): (.*)/.exec(line);
    const constant = found && constants[found[1] - imports.size - 1];
    const resource = constant && resources[/^export const r(\d+)/.exec(constant)[1]];
    faults.push(resource ? `${resource.kind} ${resource.metadata.name}: ${found[2]}` : line);
  }
} finally {
  rmSync(source);
}

console.log(faults.join("\n"));
process.exitCode = faults.length ? 1 : 0;
