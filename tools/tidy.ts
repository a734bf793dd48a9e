/**
 * Tidy: the rules of the house that no other checker knows. Bans with their replacement, limits of size, a
 * header in every file, a docstring on every exported symbol. The rules are data in `tidy-rules.ts`.
 * Callers: `check.ts`; `npx tsx tools/tidy.ts` alone.
 */
import ts from 'typescript';
import { isStarted, report, ROOT } from './report.ts';
import { isTestFile, lineOf, listFiles, readSource, type SourceFile } from './source-file.ts';
import { BANS, EXCEPTIONS, type Exception, LIMITS } from './tidy-rules.ts';

/** One breach of one rule. `line` from 1. */
export interface Breach {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** All breaches in one file, exceptions not yet taken off. */
export function breachesOf(file: SourceFile): Breach[] {
  const lines = [...sizeBreaches(file), ...banBreaches(file), ...headerBreaches(file)];
  if (!/\.tsx?$/.test(file.path)) return lines;
  return [...lines, ...functionBreaches(file), ...docstringBreaches(file)];
}

/** Breaches that no exception covers, and exceptions that cover nothing, as printable lines. */
export function tidyProblems(files: readonly SourceFile[], exceptions: readonly Exception[]): string[] {
  const breaches = files.flatMap(breachesOf);
  const covers = (exception: Exception, breach: Breach): boolean =>
    exception.path === breach.path && exception.rule === breach.rule;
  const open = breaches.filter((breach) => !exceptions.some((exception) => covers(exception, breach)));
  const idle = exceptions.filter((exception) => !breaches.some((breach) => covers(exception, breach)));
  return [
    ...open.map(({ path, line, rule, message }) => `${path}:${line}: [${rule}] ${message}`),
    ...idle.map(
      ({ path, rule }) => `tools/tidy-rules.ts: the exception of ${path} from ${rule} is not needed`,
    ),
  ];
}

/** Checks the checkout at `root`. */
export function checkTidy(root: string): string[] {
  const files = listFiles(root, ['.ts', '.tsx', '.mjs', '.sh']).map((path) => readSource(root, path));
  return tidyProblems(files, EXCEPTIONS);
}

function breach(file: SourceFile, line: number, rule: string, message: string): Breach {
  return { path: file.path, line, rule, message };
}

function lineAt(file: SourceFile, offset: number): number {
  return file.ast.getLineAndCharacterOfPosition(offset).line + 1;
}

function sizeBreaches(file: SourceFile): Breach[] {
  const lines = file.text.split('\n');
  const found = lines.flatMap((line, index) =>
    line.length > LIMITS.lineColumns
      ? [
          breach(
            file,
            index + 1,
            'line-columns',
            `${line.length} columns, ${LIMITS.lineColumns} at most (npm run format wraps comments)`,
          ),
        ]
      : [],
  );
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  if (count > LIMITS.fileLines)
    found.push(
      breach(
        file,
        count,
        'file-lines',
        `${count} lines, ${LIMITS.fileLines} at most: split it by what changes together`,
      ),
    );
  return found;
}

function banBreaches(file: SourceFile): Breach[] {
  const found: Breach[] = [];
  for (const ban of BANS) {
    if ((ban.only && !ban.only.test(file.path)) || ban.except?.test(file.path)) continue;
    const searched = file[ban.within];
    const everywhere = new RegExp(ban.pattern, `${ban.pattern.flags}g`);
    for (const match of searched.matchAll(everywhere)) {
      const what = match[0].trim().replace(/\s+/g, ' ').slice(0, 40);
      found.push(breach(file, lineOf(searched, match.index), ban.name, `"${what}": ${ban.instead}`));
    }
  }
  return found;
}

function headerBreaches(file: SourceFile): Breach[] {
  const body = file.text.replace(/^#!.*\n/, '');
  const header = file.path.endsWith('.sh') ? /^#\s*\w/ : /^\/\*\*/;
  if (header.test(body)) return [];
  return [breach(file, 1, 'header', 'begin with a comment: role, invariants, who may call')];
}

function functionBreaches(file: SourceFile): Breach[] {
  const found: Breach[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body && !declaresTests(node, file)) {
      const first = lineAt(file, node.getStart(file.ast));
      const count = lineAt(file, node.getEnd()) - first + 1;
      if (count > LIMITS.functionLines)
        found.push(
          breach(
            file,
            first,
            'function-lines',
            `function of ${count} lines, ${LIMITS.functionLines} at most`,
          ),
        );
    }
    ts.forEachChild(node, visit);
  };
  visit(file.ast);
  return found;
}

/**
 * True for the callback of a `describe` and for a function that holds a suite: lists of tests, each short by
 * itself.
 */
function declaresTests(node: ts.SignatureDeclaration, file: SourceFile): boolean {
  if (!file.path.startsWith('test/') && !isTestFile(file.path)) return false;
  const body = 'body' in node ? node.body : undefined;
  if (!body || !ts.isBlock(body)) return false;
  return body.statements.some(
    (statement) =>
      ts.isExpressionStatement(statement) &&
      ts.isCallExpression(statement.expression) &&
      /^(describe|test|it)\b/.test(statement.expression.getText(file.ast)),
  );
}

/**
 * Documented is: what has a docstring, the export a file is named for (the header speaks of it), and what
 * follows a documented export without a blank line (a group shares its docstring).
 */
function docstringBreaches(file: SourceFile): Breach[] {
  if (isTestFile(file.path)) return [];
  const found: Breach[] = [];
  const documented = new Set<string>([mainExport(file.path)]);
  let groupEnd = -1;
  for (const statement of file.ast.statements) {
    if (!isExported(statement)) continue;
    const start = statement.getStart(file.ast);
    const isGrouped = groupEnd >= 0 && /^[^\n]*\n$/.test(file.text.slice(groupEnd, start));
    const isDocumented =
      isGrouped || isDerived(statement) || ts.getJSDocCommentsAndTags(statement).length > 0;
    if (isDocumented) groupEnd = statement.getEnd();
    for (const name of exportedNames(statement)) {
      // Overloads, and a type beside the constant of its name, share the first docstring.
      if (isDocumented) documented.add(name.toLowerCase());
      if (documented.has(name.toLowerCase())) continue;
      const line = lineAt(file, start);
      found.push(
        breach(file, line, 'docstring', `${name} is exported without a docstring: contract, units, errors`),
      );
    }
  }
  return found;
}

/** `saga/job-run.ts` is named for `JobRun` or `jobRun`; compared without case. */
function mainExport(path: string): string {
  return (path.split('/').at(-1) ?? '')
    .replace(/\.tsx?$/, '')
    .replaceAll('-', '')
    .toLowerCase();
}

function isExported(node: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)
  );
}

function exportedNames(node: ts.Statement): string[] {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map((declaration) => declaration.name.getText());
  const { name } = node as ts.Statement & { readonly name?: ts.Identifier };
  return name === undefined ? [] : [name.text];
}

/** `type X = (typeof XS)[number]` and the like say all there is to say. */
function isDerived(node: ts.Statement): boolean {
  return ts.isTypeAliasDeclaration(node) && /^\(?(keyof )?typeof /.test(node.type.getText());
}

if (isStarted(import.meta.filename)) report('tidy', checkTidy(ROOT));
