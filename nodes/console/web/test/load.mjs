// The phone's rules know no browser: they are translated and taken as they are.

import { readFile } from 'node:fs/promises';
import ts from 'typescript';

/** A file of `src/lib/phone`, or by `../` of `src/lib`, that imports nothing but types. */
export async function load(name) {
  const source = await readFile(new URL(`../src/lib/phone/${name}.ts`, import.meta.url), 'utf8');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}
