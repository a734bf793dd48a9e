/**
 * Layers: every import of every file against the table in `layer-rules.ts`. A failure prints what is allowed.
 * Callers: `check.ts`; `npx tsx tools/check-layers.ts` alone.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { isPort, LAYERS, type Layer, PORTS, TEST_IMPORTS } from './layer-rules.ts';
import { isStarted, report, ROOT } from './report.ts';
import { isTestFile, lineOf, listFiles } from './source-file.ts';

/** The layer violations of one file, one sentence each. */
export function layerProblems(path: string, text: string): string[] {
  const layer = layerOf(path);
  if (!layer) {
    return [`${path}: lies in no known area; add its folder to tools/layer-rules.ts`];
  }
  const problems: string[] = [];
  // Finds static, type-only, dynamic and re-exporting imports alike.
  const typeOnly = layer.typeImports === undefined ? new Set<string>() : typeOnlyImports(path, text);
  for (const { fileName, pos } of ts.preProcessFile(text, true, true).importedFiles) {
    const wrong = fileName.startsWith('.')
      ? wrongFile(layer, path, fileName, typeOnly.has(fileName))
      : wrongPackage(layer, path, fileName);
    if (wrong) problems.push(`${path}:${lineOf(text, pos)}: ${wrong}`);
  }
  return problems;
}

/** Checks all TypeScript files of the checkout at `root`. */
export function checkLayers(root: string): string[] {
  return listFiles(root, ['.ts', '.tsx'])
    .filter((path) => path.includes('/'))
    .flatMap((path) => layerProblems(path, readFileSync(`${root}/${path}`, 'utf8')));
}

function layerOf(path: string): Layer | undefined {
  return LAYERS.filter((layer) => path.startsWith(`${layer.area}/`)).sort(
    (one, other) => other.area.length - one.area.length,
  )[0];
}

/** What is imported with `import type` alone. */
function typeOnlyImports(path: string, text: string): Set<string> {
  const all = ts
    .createSourceFile(path, text, ts.ScriptTarget.Latest)
    .statements.filter(ts.isImportDeclaration)
    .map(({ importClause, moduleSpecifier }) => ({
      name: (moduleSpecifier as ts.StringLiteral).text,
      isType: importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword,
    }));
  const values = new Set(all.filter(({ isType }) => !isType).map(({ name }) => name));
  return new Set(all.map(({ name }) => name).filter((name) => !values.has(name)));
}

function wrongFile(layer: Layer, path: string, specifier: string, isTypeOnly: boolean): string | null {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  const own = isTypeOnly ? [...layer.imports, ...(layer.typeImports ?? [])] : layer.imports;
  const areas = isTestFile(path) ? [...own, ...(layer.testImports ?? []), ...TEST_IMPORTS.areas] : own;
  const allowed = [layer.area, ...areas].some((area) =>
    area === PORTS ? isPort(target) : target === area || target.startsWith(`${area}/`),
  );
  // The daemon wires everything together, so nothing of the product may depend on it in turn.
  const isDaemon = target.startsWith('src/daemon/') && path.startsWith('src/') && layer.area !== 'src/daemon';
  if (allowed && !isDaemon) return null;
  return `${layer.area} may not import ${target}. It may import ${listed(areas)} (and its own files).`;
}

function wrongPackage(layer: Layer, path: string, specifier: string): string | null {
  const name = specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : specifier.split('/')[0];
  const packages = isTestFile(path) ? [...layer.packages, ...TEST_IMPORTS.packages] : layer.packages;
  const allowed = packages.some(
    (one) =>
      one === '*' || one === name || one === specifier || (one === 'node:*' && specifier.startsWith('node:')),
  );
  return allowed
    ? null
    : `${layer.area} may not import "${specifier}". Packages it may import: ${listed(packages)}.`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}

if (isStarted(import.meta.filename)) report('layers', checkLayers(ROOT));
