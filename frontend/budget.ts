// This file weighs what a first visit loads, prints it, and fails a build that is too heavy.

import { gzipSync } from "node:zlib";

import type { Plugin } from "vite";

/**
 * Entry chunk, what it imports statically, styles and page; lazily loaded chunks are not in it.
 *
 * @param limitBytes Of the gzipped sum.
 */
export function firstPageBudget(limitBytes: number): Plugin {
  return {
    name: "first-page-budget",
    apply: "build",
    enforce: "post",
    writeBundle(_options, bundle) {
      const first = new Set(["index.html"]);
      const add = (name: string): void => {
        const file = bundle[name];
        if (file?.type !== "chunk" || first.has(name)) return;
        first.add(name);
        file.viteMetadata?.importedCss.forEach((css) => first.add(css));
        file.imports.forEach(add);
      };
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk" && file.isEntry) add(file.fileName);
      }
      const sum = [...first].reduce((bytes, name) => bytes + weigh(bundle[name]), 0);
      const told = `first page: ${kib(sum)} gzipped of at most ${kib(limitBytes)}`;
      if (sum > limitBytes) this.error(told);
      const lazy = Object.keys(bundle).filter((name) => name.endsWith(".js") && !first.has(name));
      const later = lazy.reduce((bytes, name) => bytes + weigh(bundle[name]), 0);
      this.info(`${told}; loaded when needed: ${kib(later)}`);
    },
  };
}

type OutputFile = { type: "chunk"; code: string } | { type: "asset"; source: string | Uint8Array };

function weigh(file: OutputFile | undefined): number {
  if (file === undefined) return 0;
  return gzipSync(file.type === "chunk" ? file.code : file.source).length;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
